import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { guardExit } from "./exit-guard.js";
import { oblige } from "./watchdog.js";

const END_TIMEOUT_MS = 3_000;

/** A program that ends when it is told to, and however this process ends. */
export interface ManagedProcess {
  child: ChildProcess;
  /** Rejects, with the last words of the program, when it ends before `end` is called. */
  died: Promise<never>;
  /** Ends it (SIGTERM, then SIGKILL) and waits until it has gone. Idempotent. */
  end(): Promise<void>;
}

export interface ManagedProcessOptions {
  stdio: StdioOptions;
  env: NodeJS.ProcessEnv;
  /** How to get the program, for the error when it is missing. */
  install: string;
}

/** @throws DeskhandError `dependency_missing` when the program is not installed. */
export async function startProcess(command: string, args: string[], options: ManagedProcessOptions): Promise<ManagedProcess> {
  const child = spawn(command, args, {
    stdio: options.stdio,
    env: options.env,
    // Its own process group: a terminal's Ctrl-C must not take it away before this process has finished with it.
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) {
    const [cause] = (await once(child, "error")) as [NodeJS.ErrnoException];
    const what = cause.code === "ENOENT" ? "it is not installed" : messageOf(cause);
    throw new DeskhandError("dependency_missing", `Expected to start the program ${command} but received: ${what}. Install it ${options.install}.`, { cause });
  }
  const obligation = oblige({ kind: "process", pid });
  const unguard = guardExit(() => child.kill("SIGTERM"));
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (words = (words + chunk).slice(-2000)));
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  let ending = false;
  const died = exited.then(([code, signal]): never => {
    obligation.discharge();
    unguard();
    throw new DeskhandError("display_unavailable", `${command} ended ${ending ? "as it was told to" : `unexpectedly (${signal ?? `exit code ${code}`}): ${words.trim() || "it said nothing"}`}.`);
  });
  // Whoever waits for it sees the rejection; nobody has to.
  died.catch(() => undefined);

  const end = async (): Promise<void> => {
    ending = true;
    child.kill("SIGTERM");
    const timer = new AbortController();
    const late = sleep(END_TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => child.kill("SIGKILL"), () => undefined);
    await exited;
    timer.abort();
    await late;
  };
  return { child, died, end };
}
