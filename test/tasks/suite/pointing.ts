import { middle, type ApplicationName, type Box } from "../scene.js";
import { changedOnly, pressesOf, type Task } from "../task.js";

type Toolkit = Exclude<ApplicationName, "terminal">;

const LINE = "The quick brown fox jumps";
const NOTES = `${LINE}\nover the lazy dog`;

function press(application: Toolkit): Task {
  return {
    id: `${application}/click`,
    application,
    goal: "Press Save",
    async *oracle(hands) {
      yield hands.click("Save");
    },
    done: (outcome) => changedOnly(outcome, {}, ["Save"]),
  };
}

function button(application: Toolkit, name: "right" | "middle" | "back" | "forward"): Task {
  const only = name === "back" || name === "forward";
  return {
    id: `${application}/${name}-click`,
    application,
    goal: `Click Pad with the ${name} mouse button`,
    ...(only && { family: "openai" }),
    async *oracle(hands) {
      yield hands.click("Pad", { button: name });
    },
    done: (outcome) => pressesOf(outcome.after).join() === `${name} on Pad` && changedOnly(outcome, {}),
  };
}

function withKeys(application: Toolkit, held: string[]): Task {
  return {
    id: `${application}/${held.join("+")}-click`,
    application,
    goal: `Click Pad while ${held.join(" and ")} ${held.length > 1 ? "are" : "is"} held`,
    async *oracle(hands) {
      yield hands.click("Pad", { held });
    },
    done: ({ after }) => pressesOf(after).join() === `left on Pad with ${held.join(", ")}`,
  };
}

/** Two clicks select a word, three the line: what a text does with them. */
function several(application: Toolkit, count: 2 | 3): Task {
  const words = count === 2 ? "quick" : LINE;
  return {
    id: `${application}/${count === 2 ? "double" : "triple"}-click`,
    application,
    goal: `Select ${count === 2 ? 'the word "quick" in Notes with a double click' : "the first line of Notes with a triple click"}`,
    prepare: (scene) => scene.ask("assign", { values: { Notes: NOTES } }) as Promise<void>,
    async *oracle(hands) {
      yield { words: "Click the text several times", action: { type: "click", at: middle(await hands.phrase("quick")), count } };
    },
    done: (outcome) => outcome.after.selection.trimEnd() === words && changedOnly(outcome, {}),
  };
}

function point(application: Toolkit): Task {
  return {
    id: `${application}/move`,
    application,
    goal: "Move the mouse onto Pad without pressing anything",
    async *oracle(hands) {
      yield { words: "Move to Pad", action: { type: "move", to: await hands.at("Pad") } };
    },
    done: ({ after }) => after.on === "Pad" && after.events.length === 0,
  };
}

function dragSlider(application: Toolkit): Task {
  return {
    id: `${application}/drag-slider`,
    application,
    goal: "Drag the Volume slider to its right end",
    async *oracle(hands) {
      const { box, indicator } = await hands.element("Volume");
      const from = middle(indicator!);
      yield { words: "Drag the Volume slider", action: { type: "drag", from, to: { x: box[2] - 1, y: from.y } } };
    },
    done: (outcome) => outcome.after.volume === 100 && changedOnly(outcome, {}),
  };
}

function dragSelection(application: Toolkit): Task {
  return {
    id: `${application}/drag-selection`,
    application,
    goal: 'Select "quick brown" in Notes with the mouse',
    prepare: (scene) => scene.ask("assign", { values: { Notes: NOTES } }) as Promise<void>,
    async *oracle(hands) {
      const [left, top, right, bottom] = await hands.phrase("quick brown");
      const y = Math.floor((top + bottom) / 2);
      yield { words: "Select the words", action: { type: "drag", from: { x: Math.round(left), y }, to: { x: Math.round(right), y } } };
    },
    done: (outcome) => outcome.after.selection === "quick brown" && changedOnly(outcome, {}),
  };
}

/** The corners of a Z on the pad. */
function corners([left, top, right, bottom]: Box) {
  const [a, b] = [Math.round(left + 20), Math.round(right - 20)];
  const [c, d] = [Math.round(top + 15), Math.round(bottom - 15)];
  return [{ x: a, y: c }, { x: b, y: c }, { x: a, y: d }, { x: b, y: d }] as const;
}

function dragPath(application: Toolkit): Task {
  return {
    id: `${application}/drag-path`,
    application,
    goal: "Draw a Z on Pad with one stroke of the mouse",
    family: "openai",
    async *oracle(hands) {
      const [from, ...via] = corners((await hands.element("Pad")).box);
      const to = via.pop()!;
      yield { words: "Draw a Z on Pad", action: { type: "drag", from, via, to } };
    },
    done({ after }) {
      const points = after.strokes[0]?.points ?? [];
      const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
      const [width, height] = [Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys)];
      // To the right, back to the left and down, to the right again.
      const turns = points.filter(([x], index) => index > 0 && index < points.length - 1 && Math.sign(x - points[index - 1]![0]) * Math.sign(points[index + 1]![0] - x) < 0).length;
      return after.strokes.length === 1 && width > 80 && height > 40 && turns === 2 && pressesOf(after).join() === "left on Pad";
    },
  };
}

function downAndUp(application: Toolkit): Task {
  return {
    id: `${application}/mouse-down-up`,
    application,
    goal: "Press the left mouse button on Pad, hold it, and let it go over Rows",
    family: "anthropic",
    async *oracle(hands) {
      yield { words: "Press on Pad", action: { type: "mouse_down", at: await hands.at("Pad") } };
      yield { words: "Move over Rows", action: { type: "move", to: await hands.at("Rows") } };
      yield { words: "Let go over Rows", action: { type: "mouse_up", at: await hands.at("Rows") } };
    },
    done({ after: { events, on, strokes } }) {
      const buttons = events.filter(({ kind }) => kind === "press" || kind === "release").map(({ kind, button }) => `${kind} ${button}`);
      const [stroke] = strokes;
      const travelled = stroke ? stroke.points.at(-1)![1] - stroke.points[0]![1] : 0;
      return buttons.join() === "press left,release left" && on === "Rows" && travelled > 60;
    },
  };
}

type Direction = "down" | "right";

function scroll(application: Toolkit, direction: Direction, held?: string[]): Task {
  const down = direction === "down";
  return {
    id: `${application}/scroll-${direction}${held ? `-${held.join("+")}` : ""}`,
    application,
    goal: `Scroll the list of rows ${down ? "to its end" : "all the way to the right"}${held ? " with Shift held" : ""}`,
    async *oracle(hands) {
      const clicks = 60;
      yield { words: `Scroll the rows ${direction}`, action: { type: "scroll", at: await hands.at("Rows"), ...(down || held ? { up: -clicks } : { left: -clicks }), held } };
    },
    done: ({ after: { scrolled, events } }) => (down ? scrolled.y === 1 && scrolled.x === 0 : scrolled.x === 1 && scrolled.y === 0) && events.every(({ kind, on }) => kind !== "scroll" || on === "Rows"),
  };
}

function scrollBack(application: Toolkit): Task {
  return {
    id: `${application}/scroll-up-left`,
    application,
    goal: "Scroll the list of rows down and to the right, then back to its beginning",
    async *oracle(hands) {
      const at = await hands.at("Rows");
      for (const turn of [{ up: -6 }, { left: -6 }, { up: 8 }, { left: 8 }]) yield { words: "Scroll the rows", action: { type: "scroll", at, ...turn } };
    },
    done({ after: { scrolled, events } }) {
      const turned = (sign: 1 | -1, way: "dx" | "dy") => events.some((event) => event.kind === "scroll" && (event[way] ?? 0) * sign > 0);
      return scrolled.x === 0 && scrolled.y === 0 && turned(1, "dx") && turned(-1, "dx") && turned(1, "dy") && turned(-1, "dy");
    },
  };
}

export const POINTING: readonly Task[] = [
  ...(["gtk", "qt", "tk", "web"] as const).map(press),
  ...(["gtk", "tk"] as const).map((application) => button(application, "right")),
  ...(["qt", "web"] as const).map((application) => button(application, "middle")),
  ...(["qt", "web"] as const).map((application) => button(application, "back")),
  ...(["gtk", "web"] as const).map((application) => button(application, "forward")),
  withKeys("gtk", ["ctrl"]),
  withKeys("qt", ["shift"]),
  withKeys("web", ["ctrl", "alt"]),
  ...(["gtk", "web", "tk"] as const).map((application) => several(application, 2)),
  ...(["qt", "tk"] as const).map((application) => several(application, 3)),
  ...(["qt", "web"] as const).map(point),
  ...(["gtk", "qt", "tk", "web"] as const).map(dragSlider),
  ...(["gtk", "qt", "web"] as const).map(dragSelection),
  ...(["gtk", "web"] as const).map(dragPath),
  ...(["qt", "tk"] as const).map(downAndUp),
  ...(["gtk", "qt", "tk", "web"] as const).map((application) => scroll(application, "down")),
  ...(["qt", "web"] as const).map((application) => scroll(application, "right")),
  scroll("web", "right", ["shift"]),
  ...(["gtk", "web"] as const).map(scrollBack),
];

/** What is left of each action in each toolkit. */
export const POINTING_ELSEWHERE: readonly Task[] = [
  ...(["qt", "web"] as const).map((application) => button(application, "right")),
  ...(["gtk", "tk"] as const).map((application) => button(application, "middle")),
  ...(["gtk", "tk"] as const).map((application) => button(application, "back")),
  ...(["qt", "tk"] as const).map((application) => button(application, "forward")),
  withKeys("tk", ["ctrl"]),
  several("qt", 2),
  ...(["gtk", "web"] as const).map((application) => several(application, 3)),
  ...(["gtk", "tk"] as const).map(point),
  dragSelection("tk"),
  ...(["qt", "tk"] as const).map(dragPath),
  ...(["gtk", "web"] as const).map(downAndUp),
  ...(["gtk", "tk"] as const).map((application) => scroll(application, "right")),
  ...(["qt", "tk"] as const).map(scrollBack),
];
