// @ts-check
// The watchdog's program, a process of its own: it undoes what a process that was killed outright could not. Plain JavaScript, so
// that Node starts it as it stands, from the sources and from the compiled package alike.
//
// Reads lines of JSON from standard input, each the complete list of obligations. When the input ends, because the process at its
// other end has gone, it fulfils the last list and leaves.
import process from "node:process";

/** @import { Obligation } from "./watchdog.js" */

process.title = "deskhand-watchdog";
// A signal to the whole group must not take the watchdog before it has seen its parent go.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);

let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  text += String(chunk);
  // Only the newest complete line counts.
  const end = text.lastIndexOf("\n");
  const start = end <= 0 ? -1 : text.lastIndexOf("\n", end - 1);
  if (start > 0) text = text.slice(start + 1);
});
process.stdin.on("end", () => {
  const last = text.slice(0, Math.max(text.lastIndexOf("\n"), 0)).split("\n").pop();
  void fulfil(last ? /** @type {Obligation[]} */ (JSON.parse(last)) : []).finally(() => process.exit(0));
});

/** @param {Obligation[]} obligations */
async function fulfil(obligations) {
  for (const obligation of obligations) if (obligation.kind === "process") endProcess(obligation.pid);
  const work = obligations.flatMap((obligation) => {
    if (obligation.kind === "x11") return [releaseOnX11(obligation)];
    return obligation.kind === "native" ? [releaseNative(obligation)] : [];
  });
  await Promise.race([Promise.allSettled(work), new Promise((resolve) => setTimeout(resolve, 3000))]);
}

/** @param {number} pid */
function endProcess(pid) {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It has ended already.
  }
}

/** @param {Extract<Obligation, { kind: "x11" }>} held */
async function releaseOnX11(held) {
  const { default: x11 } = await import("x11");
  await new Promise((resolve, reject) => {
    const client = x11.createClient({ display: held.display, shm: false }, (error, display) => {
      if (error) return reject(error);
      const X = display.client;
      X.require("xtest", (missing, xtest) => {
        if (missing) return reject(missing);
        const release = () => {
          for (const keycode of held.keycodes) xtest.FakeInput(xtest.KeyRelease, keycode, 0, 0, 0, 0);
          for (const button of held.buttons) xtest.FakeInput(xtest.ButtonRelease, button, 0, 0, 0, 0);
        };
        release();
        // A while later again, in case the server had not yet read the dead process' last presses; and only then are borrowed
        // keycodes returned, because applications may still be reading what was typed with them.
        setTimeout(() => {
          release();
          for (const keycode of held.boundKeycodes) X.ChangeKeyboardMapping(keycode, 1, [0]);
          X.sync(() => resolve(undefined));
        }, 400);
      });
    });
    client.on("error", reject);
  });
}

/** @param {Extract<Obligation, { kind: "native" }>} held */
async function releaseNative(held) {
  const { keyboard, mouse } = await import("@nut-tree-fork/nut-js");
  keyboard.config.autoDelayMs = 0;
  mouse.config.autoDelayMs = 0;
  for (const key of held.keys) await keyboard.releaseKey(key);
  for (const button of held.buttons) await mouse.releaseButton(button);
}
