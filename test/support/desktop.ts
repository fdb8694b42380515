import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** Helpers for tests that drive a real application on a real X display. Independent of the code under test: xdotool and the application. */

const run = promisify(execFile);

const ENDED_TIMEOUT_MS = 20_000;

export async function xdotool(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string> {
  return (await run("xdotool", args, { env })).stdout.trim();
}

export interface Application {
  child: ChildProcess;
  /** Its window, by X id. */
  window: string;
  /** Everything it has printed so far. */
  output(): string;
  /** Waits for it to end and gives what it printed. */
  ended(): Promise<{ code: number | null; output: string }>;
  kill(): Promise<void>;
}

/** Starts a program and waits until a window of its own has the focus. */
export async function startApplication(env: NodeJS.ProcessEnv, command: string, args: string[]): Promise<Application> {
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const exited = once(child, "close") as Promise<[number | null]>;
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  try {
    const window = await focusedWindowOf(env, child);
    const ended = async (): Promise<{ code: number | null; output: string }> => {
      const [code] = await Promise.race([exited, sleep(ENDED_TIMEOUT_MS, undefined, { ref: false }).then(() => Promise.reject(new Error(`${command} did not end; so far it printed ${JSON.stringify(output)}`)))]);
      return { code, output };
    };
    return { child, window, output: () => output, ended, kill };
  } catch (error) {
    await kill();
    throw error;
  }
}

async function focusedWindowOf(env: NodeJS.ProcessEnv, child: ChildProcess): Promise<string> {
  for (const deadlineMs = Date.now() + 20_000; Date.now() < deadlineMs; await sleep(20)) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode} before it showed a window`);
    // Fails while there is no active window, or one without a pid.
    const active = await xdotool(env, "getactivewindow").catch(() => "");
    // openbox calls a window active a moment before it gives it the keyboard.
    if (active === "" || active !== (await xdotool(env, "getwindowfocus").catch(() => ""))) continue;
    // The window may be closing.
    const properties = await run("xprop", ["-id", active, "_NET_WM_PID", "WM_NAME"], { env }).then(({ stdout }) => stdout, () => "");
    // xev sets no pid.
    if (properties.includes(`= ${child.pid}\n`) || properties.includes("Event Tester")) return active;
  }
  throw new Error(`${child.spawnfile} showed no focused window; active: ${await xdotool(env, "getactivewindow").catch(String)}, focused: ${await xdotool(env, "getwindowfocus").catch(String)}`);
}

/** A window's place on the screen, without the window manager's frame. */
export async function geometryOf(env: NodeJS.ProcessEnv, window: string): Promise<{ x: number; y: number; width: number; height: number }> {
  const text = (await run("xwininfo", ["-id", window], { env })).stdout;
  const number = (label: string): number => Number(new RegExp(`${label}:\\s+(-?\\d+)`).exec(text)?.[1]);
  return { x: number("Absolute upper-left X"), y: number("Absolute upper-left Y"), width: number("Width"), height: number("Height") };
}

/** Polls until it holds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  for (const deadlineMs = Date.now() + timeoutMs; Date.now() < deadlineMs; await sleep(20)) if (await holds()) return;
  throw new Error(`gave up waiting until ${what}`);
}

/** Pids of the processes that `parent` has started and that live, and of those they have started. */
export function descendantsOf(parent: number): number[] {
  const children = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && isAlive(Number(pid)) && statusOf(Number(pid)).includes(`\nPPid:\t${parent}\n`));
  return children.map(Number).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Whether a process runs; one that has ended and waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  const status = statusOf(pid);
  return status !== "" && !/^State:\s+Z/m.test(status);
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
