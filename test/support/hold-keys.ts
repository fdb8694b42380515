// What key-release.test.ts kills: holds Shift, A and the left button on the display it is told (`current`, `virtual`, or `native` for the
// current one through nut-js), prints one line of JSON, and ends as the second argument says, or waits for a signal.
import { setTimeout as sleep } from "node:timers/promises";
import { openComputer } from "../../src/agent/computer/index.js";
import { openNativeComputer } from "../../src/agent/computer/native-computer.js";
import { loadNut } from "../../src/agent/computer/nut.js";
import { X11Connection } from "../../src/agent/computer/x11-connection.js";

const [display, ending] = process.argv.slice(2);
if (display !== "current" && display !== "virtual" && display !== "native") throw new Error(`expected current, virtual or native but received ${display}`);
const displayName = await (display === "native" ? holdByNut() : hold(display));
process.stdout.write(`${JSON.stringify({ displayName })}\n`);
if (ending === "exit") process.exit(3);
if (ending === "throw") throw new Error("on purpose");
setInterval(() => undefined, 1000);

async function hold(display: "current" | "virtual"): Promise<string | undefined> {
  const { computer, displayName } = await openComputer({ display });
  await computer.press("left");
  // The chord presses its keys and then waits for the server before it lets go; this wait never ends.
  X11Connection.prototype.sync = () => new Promise(() => undefined);
  void computer.chord(["shift", "a"]);
  await sleep(200);
  return displayName;
}

/** Whatever it lets go of from now on gets lost on the way. */
async function holdByNut(): Promise<string> {
  const computer = await openNativeComputer();
  await computer.press("left");
  await computer.keyDown(["shift", "a"]);
  const { keyboard, mouse } = loadNut();
  keyboard.releaseKey = async () => undefined;
  mouse.releaseButton = async () => undefined;
  return process.env["DISPLAY"]!;
}
