import type * as NutJs from "@nut-tree-fork/nut-js";
import type { X11 } from "x11";

/** Something that must be undone should this process die without doing it itself. */
export type Obligation =
  | { kind: "process"; pid: number }
  | { kind: "x11"; display: string; keycodes: number[]; buttons: number[]; boundKeycodes: number[] }
  | { kind: "native"; keys: number[]; buttons: number[] };

/**
 * The watchdog's whole program. It is started from its source text (`node -e`), so that it runs the same from TypeScript in tests
 * and from the compiled package: it may use nothing from outside its body.
 *
 * Reads lines of JSON from standard input, each the complete list of obligations. When the input ends, because the process at
 * its other end has gone, it fulfils the last list and leaves.
 */
export function watchdogMain(load: (module: string) => unknown, modules: { x11: string; nutJs: string }): void {
  process.title = "deskhand-watchdog";
  // A signal to the whole group must not take the watchdog before it has seen its parent go.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

  let text = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (chunk: string) => {
    text += chunk;
    // Only the newest complete line counts.
    const end = text.lastIndexOf("\n");
    const start = end <= 0 ? -1 : text.lastIndexOf("\n", end - 1);
    if (start > 0) text = text.slice(start + 1);
  });
  process.stdin.on("end", () => {
    const last = text.slice(0, Math.max(text.lastIndexOf("\n"), 0)).split("\n").pop();
    void fulfil(last ? (JSON.parse(last) as Obligation[]) : []).finally(() => process.exit(0));
  });

  async function fulfil(obligations: Obligation[]): Promise<void> {
    for (const obligation of obligations) if (obligation.kind === "process") endProcess(obligation.pid);
    const work = obligations.flatMap((obligation) => {
      if (obligation.kind === "x11") return [releaseOnX11(obligation)];
      return obligation.kind === "native" ? [releaseNative(obligation)] : [];
    });
    await Promise.race([Promise.allSettled(work), new Promise((resolve) => setTimeout(resolve, 3000))]);
  }

  function endProcess(pid: number): void {
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      // It has ended already.
    }
  }

  function releaseOnX11(held: Extract<Obligation, { kind: "x11" }>): Promise<void> {
    const x11 = load(modules.x11) as X11;
    return new Promise((resolve, reject) => {
      const client = x11.createClient({ display: held.display, shm: false }, (error, display) => {
        if (error) return reject(error);
        const X = display.client;
        X.require("xtest", (missing, xtest) => {
          if (missing) return reject(missing);
          const release = (): void => {
            for (const keycode of held.keycodes) xtest.FakeInput(xtest.KeyRelease, keycode, 0, 0, 0, 0);
            for (const button of held.buttons) xtest.FakeInput(xtest.ButtonRelease, button, 0, 0, 0, 0);
          };
          release();
          // A while later again, in case the server had not yet read the dead process' last presses; and only then are borrowed
          // keycodes returned, because applications may still be reading what was typed with them.
          setTimeout(() => {
            release();
            for (const keycode of held.boundKeycodes) X.ChangeKeyboardMapping(keycode, 1, [0]);
            X.sync(() => resolve());
          }, 400);
        });
      });
      client.on("error", reject);
    });
  }

  async function releaseNative(held: Extract<Obligation, { kind: "native" }>): Promise<void> {
    const { keyboard, mouse } = load(modules.nutJs) as typeof NutJs;
    keyboard.config.autoDelayMs = 0;
    mouse.config.autoDelayMs = 0;
    for (const key of held.keys) await keyboard.releaseKey(key);
    for (const button of held.buttons) await mouse.releaseButton(button);
  }
}
