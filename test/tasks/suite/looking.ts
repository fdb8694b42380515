import sharp from "sharp";
import type { ApplicationName, Box } from "../scene.js";
import { changedOnly, type Seen, type Task } from "../task.js";

type Toolkit = Exclude<ApplicationName, "terminal">;

const COLOURS: Readonly<Record<string, string>> = { red: "#d02020", green: "#20a040", blue: "#2050d0" };

/** Something that comes only after a while, and can only be pressed then. */
function wait(application: Toolkit): Task {
  return {
    id: `${application}/wait`,
    application,
    goal: "Press Start, wait until Continue can be pressed, and press it",
    async *oracle(hands) {
      yield hands.click("Start");
      yield { words: "Wait for Continue", action: { type: "wait", ms: 2000 } };
      yield hands.click("Continue");
    },
    done: (outcome) => changedOnly(outcome, {}, ["Start", "Continue"]),
  };
}

/** The lamp changes while nobody acts: only a new picture shows it. */
function screenshot(application: Toolkit): Task {
  return {
    id: `${application}/screenshot`,
    application,
    goal: "Take a new screenshot, then tell which colour the lamp has: red, green or blue",
    family: "anthropic",
    prepare: (scene) => scene.ask("lamp", { colour: COLOURS["green"] }) as Promise<void>,
    async *oracle(hands) {
      await hands.scene.ask("lamp", { colour: COLOURS["blue"] });
      const { box } = await hands.element("Lamp");
      const seen = yield { words: "Take a screenshot", action: { type: "screenshot" } };
      yield hands.answer(await colourIn(seen, box));
    },
    done: ({ after, ending }) => ending.answer === "blue" && after.events.length === 0,
  };
}

/** All that the model sees after it has zoomed is the lamp. */
function zoom(application: Toolkit): Task {
  return {
    id: `${application}/zoom`,
    application,
    goal: "Look at the lamp closely and tell which colour it has: red, green or blue",
    prepare: (scene) => scene.ask("lamp", { colour: COLOURS["red"] }) as Promise<void>,
    async *oracle(hands) {
      const [left, top, right, bottom] = (await hands.element("Lamp")).box;
      const region = { x: left + 4, y: top + 4, width: right - left - 8, height: bottom - top - 8 };
      const seen = yield { words: "Look at the lamp closely", action: { type: "zoom", region } };
      const { width = 0, height = 0 } = await sharp(seen).metadata();
      yield hands.answer(await colourIn(seen, [0, 0, width, height]));
    },
    done: ({ after, ending }) => ending.answer === "red" && after.events.length === 0,
  };
}

function ask(application: Toolkit): Task {
  return {
    id: `${application}/ask`,
    application,
    goal: "Ask the user for their name and type it into Name",
    family: "ui-tars",
    says: "Ada Lovelace",
    async *oracle(hands) {
      yield { words: "Ask for the name", action: { type: "ask", question: "What is your name?" } };
      yield hands.click("Name");
      yield hands.type("Ada Lovelace");
    },
    done: (outcome) => changedOnly(outcome, { Name: "Ada Lovelace" }),
  };
}

function answer(application: Toolkit): Task {
  return {
    id: `${application}/answer`,
    application,
    goal: "Which size is chosen?",
    prepare: (scene) => scene.ask("assign", { values: { Size: "Large" } }) as Promise<void>,
    async *oracle(hands) {
      const { values } = (await hands.scene.ask("state")) as { values: { Size: string } };
      yield hands.answer(values.Size);
    },
    done: (outcome) => outcome.ending.answer === "Large" && changedOnly(outcome, {}),
  };
}

function impossible(application: Toolkit): Task {
  return {
    id: `${application}/terminate`,
    application,
    goal: "Press Print; give up if there is no such button",
    async *oracle() {
      yield { words: "There is no such button", action: { type: "terminate", success: false } };
    },
    done: ({ after, ending }) => ending.stop === "terminate" && !ending.success && after.events.length === 0,
  };
}

function form(application: Toolkit): Task {
  return {
    id: `${application}/form`,
    application,
    goal: "Set Name to Ada Lovelace, turn on Newsletter, choose Large and press Save",
    async *oracle(hands) {
      yield hands.click("Name");
      yield hands.type("Ada Lovelace");
      yield hands.click("Newsletter");
      yield hands.click("Large");
      yield hands.click("Save");
    },
    done: (outcome) => changedOnly(outcome, { Name: "Ada Lovelace", Newsletter: true, Size: "Large" }, ["Save"]),
  };
}

/** The name of the colour that fills most of a part of the picture. */
async function colourIn(picture: Seen, [left, top, right, bottom]: Box): Promise<string> {
  const part = { left: Math.round(left), top: Math.round(top), width: Math.round(right - left), height: Math.round(bottom - top) };
  const { dominant } = await sharp(await sharp(picture).extract(part).png().toBuffer()).stats();
  const [strongest] = (["r", "g", "b"] as const).toSorted((a, b) => dominant[b] - dominant[a]);
  return { r: "red", g: "green", b: "blue" }[strongest!];
}

export const LOOKING: readonly Task[] = [
  ...(["gtk", "web"] as const).map(wait),
  ...(["qt", "tk"] as const).map(screenshot),
  ...(["gtk", "web"] as const).map(zoom),
  ...(["gtk", "tk"] as const).map(ask),
  ...(["qt", "web"] as const).map(answer),
  ...(["gtk", "web"] as const).map(impossible),
];

/** What people do with programs: several steps, each of which matters. */
export const FORMS: readonly Task[] = (["gtk", "qt", "tk", "web"] as const).map(form);
