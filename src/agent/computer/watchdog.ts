import { spawn, type ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { createLogger } from "../../core/log.js";

/** Something that must be undone should this process die without doing it itself. */
export type Obligation =
  | { kind: "process"; pid: number }
  | { kind: "x11"; display: string; keycodes: number[]; buttons: number[]; boundKeycodes: number[] }
  | { kind: "native"; keys: number[]; buttons: number[] };

const log = createLogger("computer");
const PROGRAM = fileURLToPath(new URL("./watchdog-main.js", import.meta.url));

/** An obligation that is kept up to date while this process lives. */
export interface StandingObligation {
  /** Takes effect at once: it is in the watchdog's pipe when this returns. */
  update(obligation: Obligation): void;
  /** For a process that is about to be gone: the watchdog keeps to what it knows, whatever is met here at the last moment. */
  seal(): void;
  /** The obligation has been met here; the watchdog forgets it. */
  discharge(): void;
}

/**
 * Makes sure that something is undone even when this process is killed outright: a small child process holds the other end of a
 * pipe, and acts when the pipe closes. There is one for all obligations; it starts with the first and leaves with the last.
 */
export function oblige(obligation: Obligation): StandingObligation {
  const id = Symbol();
  let isSealed = false;
  const update = (next: Obligation): void => {
    if (isSealed) return;
    obligations.set(id, next);
    report();
  };
  update(obligation);
  return {
    update,
    seal: () => {
      isSealed = true;
    },
    discharge: () => {
      if (obligations.delete(id)) report();
    },
  };
}

const obligations = new Map<symbol, Obligation>();
let watchdog: ChildProcess | undefined;

function report(): void {
  if (obligations.size > 0) watchdog ??= start();
  watchdog?.stdin?.write(`${JSON.stringify([...obligations.values()])}\n`);
  if (obligations.size > 0) return;
  watchdog?.stdin?.end();
  watchdog = undefined;
}

function start(): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM], {
    stdio: ["pipe", "ignore", "ignore"],
    // Its own session: a terminal's Ctrl-C and hang-up go to the foreground group only.
    detached: true,
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const lost = (reason: unknown): void => {
    if (watchdog !== child) return;
    log.warn({ reason }, "the input watchdog is gone; keys held at a sudden death would stay held");
    watchdog = undefined;
  };
  child.on("error", lost);
  child.on("exit", (code, signal) => lost({ code, signal }));
  child.stdin.on("error", lost);
  // Neither the child nor its pipe keeps this process alive.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}
