import type { ApplicationName } from "../scene.js";
import { changedOnly, heldForMs, keysOf, pressesOf, type Task } from "../task.js";

type Toolkit = Exclude<ApplicationName, "terminal">;

/** Accents as one character and as two, letters from right to left, Han, a pair of surrogates, a family joined from several, quotation marks. */
const HARD = "Žižek e\u0301 שלום العربية 日本語 😀 👩‍👧 «“A”» \\n {x}";
/** Tk 8.6 has no characters beyond the first plane. */
const HARD_FIRST_PLANE = "Žižek e\u0301 שלום العربية 日本語 «“A”» \\n {x}";

function typeText(application: Toolkit): Task {
  const text = application === "tk" ? HARD_FIRST_PLANE : HARD;
  return {
    id: `${application}/type-unicode`,
    application,
    goal: `Type this into Name: ${text}`,
    async *oracle(hands) {
      yield hands.click("Name");
      yield hands.type(text);
    },
    done: (outcome) => changedOnly(outcome, { Name: text }),
  };
}

/** In a page Tab goes to the next field. */
function typeLines(application: Toolkit): Task {
  const text = application === "web" ? "one\n\n  two, and three  " : "one\n\ttwo\n\n  three  ";
  return {
    id: `${application}/type-lines`,
    application,
    goal: `Write exactly these lines${text.includes("\t") ? ", the second one after a tab," : ""} into Notes:\n${text}`,
    async *oracle(hands) {
      yield hands.click("Notes");
      yield hands.type(text);
    },
    done: (outcome) => changedOnly(outcome, { Notes: text }),
  };
}

function replace(application: Toolkit): Task {
  return {
    id: `${application}/replace-text`,
    application,
    goal: "Replace what Name holds by Grace Hopper",
    prepare: (scene) => scene.ask("assign", { values: { Name: "Ada Lovelace" } }) as Promise<void>,
    oracle: (hands) => hands.fill("Name", "Grace Hopper"),
    done: (outcome) => changedOnly(outcome, { Name: "Grace Hopper" }),
  };
}

function chord(application: Toolkit): Task {
  return {
    id: `${application}/chord`,
    application,
    goal: "Press ctrl+shift+k",
    async *oracle(hands) {
      yield hands.key("ctrl", "shift", "k");
    },
    done: ({ after }) => keysOf(after) === "+ctrl +shift +k -k -shift -ctrl",
  };
}

/** F5 loads a page again. */
function functionKey(application: Toolkit): Task {
  const key = application === "web" ? "f9" : "f5";
  return {
    id: `${application}/function-key`,
    application,
    goal: `Press ${key.toUpperCase()}`,
    async *oracle(hands) {
      yield hands.key(key);
    },
    done: ({ after }) => keysOf(after) === `+${key} -${key}`,
  };
}

/** What asks a person first, although the task speaks of it: Delete may delete. */
function deleteKey(application: Toolkit): Task {
  return {
    id: `${application}/delete-key`,
    application,
    goal: "Delete the first letter of Name with the Delete key",
    asks: ["deletes"],
    prepare: (scene) => scene.ask("assign", { values: { Name: "Xada" } }) as Promise<void>,
    async *oracle(hands) {
      yield hands.click("Name");
      yield hands.key("home");
      yield hands.key("delete");
    },
    done: (outcome) => changedOnly(outcome, { Name: "ada" }),
  };
}

function holdKey(application: Toolkit): Task {
  const ms = 900;
  return {
    id: `${application}/hold-key`,
    application,
    goal: "Hold the F8 key for about a second",
    family: "anthropic",
    async *oracle() {
      yield { words: "Hold F8", action: { type: "hold_key", keys: ["f8"], ms } };
    },
    done: ({ after }) => keysOf(after) === "+f8 -f8" && heldForMs(after, "f8") >= ms,
  };
}

function keyDownAndUp(application: Toolkit): Task {
  return {
    id: `${application}/key-down-up`,
    application,
    goal: "Hold Shift, click Pad and then Start, and let Shift go",
    family: "ui-tars",
    async *oracle(hands) {
      yield { words: "Hold Shift", action: { type: "key_down", keys: ["shift"] } };
      yield hands.click("Pad");
      yield hands.click("Start");
      yield { words: "Release Shift", action: { type: "key_up", keys: ["shift"] } };
    },
    done: ({ after }) => pressesOf(after).join("; ") === "left on Pad with shift; left on Start with shift" && keysOf(after) === "+shift -shift" && after.pressed.join() === "Start",
  };
}

export const TYPING: readonly Task[] = [
  ...(["gtk", "qt", "tk", "web"] as const).map(typeText),
  ...(["gtk", "qt", "tk", "web"] as const).map(typeLines),
  ...(["gtk", "qt", "web"] as const).map(replace),
  ...(["gtk", "tk", "web"] as const).map(chord),
  ...(["qt", "tk"] as const).map(functionKey),
  deleteKey("gtk"),
  ...(["gtk", "qt", "web"] as const).map(holdKey),
  ...(["gtk", "web"] as const).map(keyDownAndUp),
];

/** What is left of each action in each toolkit. */
export const TYPING_ELSEWHERE: readonly Task[] = [chord("qt"), ...(["gtk", "web"] as const).map(functionKey), holdKey("tk"), ...(["qt", "tk"] as const).map(keyDownAndUp)];
