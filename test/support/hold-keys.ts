// What key-release.test.ts kills: holds Shift, A and the left button on the display it is told (`current` or `virtual`), prints
// one line of JSON, and ends as the second argument says, or waits for a signal.
import { setTimeout as sleep } from "node:timers/promises";
import { openComputer } from "../../src/agent/computer/index.js";
import { X11Connection } from "../../src/agent/computer/x11-connection.js";

const [display, ending] = process.argv.slice(2);
if (display !== "current" && display !== "virtual") throw new Error(`expected current or virtual but received ${display}`);
const { computer, displayName } = await openComputer({ display });
await computer.press("left");
// The chord presses its keys and then waits for the server before it lets go; this wait never ends.
X11Connection.prototype.sync = () => new Promise(() => undefined);
void computer.chord(["shift", "a"]);
await sleep(200);
process.stdout.write(`${JSON.stringify({ displayName })}\n`);
if (ending === "exit") process.exit(3);
if (ending === "throw") throw new Error("on purpose");
setInterval(() => undefined, 1000);
