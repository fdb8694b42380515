import { middle, type Box } from "../scene.js";
import type { Hands } from "../hands.js";
import type { Task } from "../task.js";

/** Everything that goes to a terminal is asked about. */
const FILE = "größe-日本.txt";

async function cell({ scene }: Hands, column: number, row: number): Promise<Box> {
  return (await scene.ask("cell", { column, row })) as Box;
}

export const TERMINAL: readonly Task[] = [
  {
    id: "terminal/command",
    application: "terminal",
    goal: `Run this command: touch ${FILE}`,
    asks: ["terminal", "terminal"],
    async *oracle(hands) {
      yield hands.type(`touch ${FILE}`);
      yield hands.key("enter");
    },
    done: ({ after }) => JSON.stringify(after.values["files"]) === JSON.stringify([FILE]) && after.commands.map(({ text, code }) => `${code} ${text}`).join() === `0 touch ${FILE}`,
  },
  {
    id: "terminal/interrupt",
    application: "terminal",
    goal: "Run sleep 500 and then stop it with ctrl+c",
    asks: ["terminal", "terminal", "terminal"],
    async *oracle(hands) {
      yield hands.type("sleep 500");
      yield hands.key("enter");
      yield hands.key("ctrl", "c");
    },
    done: ({ after }) => after.commands.map(({ text, code }) => `${code} ${text}`).join() === "130 sleep 500",
  },
  {
    id: "terminal/paste",
    application: "terminal",
    goal: "Type echo abc and a space, copy abc with a double click, insert it with the middle mouse button, and press Enter",
    asks: ["terminal", "terminal"],
    async *oracle(hands) {
      yield hands.type("echo abc ");
      const word = middle(await cell(hands, 8, 0));
      yield { words: "Double-click abc", action: { type: "click", at: word, count: 2 } };
      yield { words: "Insert it", action: { type: "click", at: word, button: "middle" } };
      yield hands.key("enter");
    },
    done: ({ after }) => after.commands.map(({ text }) => text).join() === "echo abc abc",
  },
];

/** What is left of the actions that a terminal takes. */
export const TERMINAL_ELSEWHERE: readonly Task[] = [
  {
    id: "terminal/drag-selection",
    application: "terminal",
    goal: "Type echo abc and a space, select abc with the mouse, insert it with the middle mouse button, and press Enter",
    asks: ["terminal", "terminal"],
    async *oracle(hands) {
      yield hands.type("echo abc ");
      const [[left, top, , bottom], [right]] = [await cell(hands, 7, 0), await cell(hands, 10, 0)];
      const y = Math.floor((top + bottom) / 2);
      yield { words: "Select abc", action: { type: "drag", from: { x: Math.round(left), y }, to: { x: Math.round(right), y } } };
      yield { words: "Insert it", action: { type: "click", at: { x: Math.round(left), y }, button: "middle" } };
      yield hands.key("enter");
    },
    done: ({ after }) => after.commands.map(({ text }) => text).join() === "echo abc abc",
  },
  {
    id: "terminal/scroll-up",
    application: "terminal",
    goal: "Run seq 99, type echo and a space, scroll up to the line with 3, copy the 3 with a double click, insert it with the middle mouse button, and press Enter",
    asks: ["terminal", "terminal", "terminal", "terminal"],
    async *oracle(hands) {
      yield hands.type("seq 99");
      yield hands.key("enter");
      yield hands.type("echo ");
      // The first line is the command's; it has long left the screen, which has twenty.
      const three = middle(await cell(hands, 0, 3));
      yield { words: "Scroll up", action: { type: "scroll", at: three, up: 40 } };
      yield { words: "Double-click 3", action: { type: "click", at: three, count: 2 } };
      yield { words: "Insert it", action: { type: "click", at: three, button: "middle" } };
      yield hands.key("enter");
    },
    done: ({ after }) => after.commands.map(({ text }) => text).join() === "seq 99,echo 3",
  },
];
