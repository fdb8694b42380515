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
