import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { Agent, type AgentResult } from "../agent/agent.js";
import { openComputer, settle, type Computer } from "../agent/computer/index.js";
import { sameButForCaret } from "../agent/computer/settle.js";
import { DeskhandError, messageOf, throwIfAborted } from "../core/errors.js";
import { DEFAULT_MODEL } from "../server/defaults.js";
import { main } from "./cli.js";
import { abortOnSignals } from "./interrupt.js";
import { reportError } from "./run-command.js";
import { printResult, printRunEvent, progressPrinter } from "./run-report.js";

const TASK = "set First name to Ada, Last name to Lovelace, Email to ada@example.org, City to London, then press OK";
const FORM = ["--forms", "--title=Registration", "--text=Your details", "--add-entry=First name", "--add-entry=Last name", "--add-entry=Email", "--add-entry=City"];
/** What zenity prints when exactly the task was done. */
const EXPECTED = "Ada|Lovelace|ada@example.org|London\n";
const MAX_STEPS = 25;
const WINDOW_TIMEOUT_MS = 20_000;
/** After OK has been pressed. */
const EXIT_TIMEOUT_MS = 5_000;

/** What the form did, and whether that was the task. */
export interface MainJobOutcome {
  success: boolean;
  result: AgentResult;
  /** What zenity printed; undefined when it was still open at the end. */
  printed?: string;
  exitCode?: number | null;
}

/**
 * What `npm start` does. Without arguments: fill in a real GTK form on a display of its own with the embedded model, judged by what
 * the form itself printed. With arguments: the same as `deskhand agent` with them.
 * @returns the exit code: 0 done, 1 failed, 2 bad usage
 */
export async function mainJob(argv: readonly string[]): Promise<number> {
  if (argv.length > 0) return main(["agent", ...argv]);
  try {
    return await reportForm();
  } catch (error) {
    return reportError(error);
  }
}

async function reportForm(): Promise<number> {
  using interrupt = abortOnSignals();
  const outcome = await fillInForm({ signal: interrupt.signal });
  printResult(outcome.result);
  process.stdout.write(`the form received: ${outcome.printed === undefined ? "nothing, it was not closed" : JSON.stringify(outcome.printed)}, expected ${JSON.stringify(EXPECTED)}: ${outcome.success ? "right" : "wrong"}\n`);
  return outcome.success ? 0 : 1;
}

/**
 * Opens a virtual display with a registration form on it and lets the embedded model fill it in.
 * @throws DeskhandError when the display, the form or the model cannot be started, `cancelled` when the signal aborts before that.
 */
export async function fillInForm({ signal, outDir }: { signal?: AbortSignal; outDir?: string }): Promise<MainJobOutcome> {
  const opened = await openComputer({ display: "virtual", signal });
  try {
    const form = await openForm(opened.computer, opened.env, signal);
    try {
      const agent = new Agent({
        model: DEFAULT_MODEL,
        computer: opened.computer,
        maxSteps: MAX_STEPS,
        outDir,
        signal,
        onProgress: progressPrinter(),
        onEvent: printRunEvent,
      });
      const result = await agent.run(TASK);
      const closed = await form.closed(result.success ? EXIT_TIMEOUT_MS : 0);
      return { success: result.success && closed?.exitCode === 0 && closed.printed === EXPECTED, result, ...closed };
    } finally {
      form.end();
    }
  } finally {
    await opened.close();
  }
}

interface Form {
  /** What it printed and its exit code, if it closes by itself in time. */
  closed(timeoutMs: number): Promise<{ printed: string; exitCode: number | null } | undefined>;
  end(): void;
}

/** Starts zenity and waits until its window is on the screen. */
async function openForm(computer: Computer, env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<Form> {
  const before = await computer.capture(signal);
  const zenity = spawn("zenity", FORM, { env, stdio: ["ignore", "pipe", "pipe"] });
  const printing = text(zenity.stdout);
  const complaining = text(zenity.stderr);
  const exiting = once(zenity, "exit").then(([exitCode]) => exitCode as number | null, notStarted);
  // Whoever asks sees the failure; the wait for the window does.
  exiting.catch(() => undefined);
  const gone = exiting.then(async (exitCode): Promise<never> => {
    throw new DeskhandError("internal", `Expected zenity to show a form but it ended with exit code ${exitCode}: ${(await complaining).trim() || "it said nothing"}.`);
  });
  gone.catch(() => undefined);
  try {
    await Promise.race([windowShown(computer, before, signal), gone]);
  } catch (error) {
    end(zenity);
    throw error;
  }
  return {
    end: () => end(zenity),
    async closed(timeoutMs) {
      const exitCode = await Promise.race([exiting, delay(timeoutMs, undefined, { ref: false })]);
      return exitCode === undefined ? undefined : { printed: await printing, exitCode };
    },
  };
}

async function windowShown(computer: Computer, before: Awaited<ReturnType<Computer["capture"]>>, signal: AbortSignal | undefined): Promise<void> {
  const { scale } = await computer.display();
  const deadline = performance.now() + WINDOW_TIMEOUT_MS;
  while (sameButForCaret(before, await computer.capture(signal), scale)) {
    throwIfAborted(signal);
    if (performance.now() > deadline) throw new DeskhandError("timeout", `Expected zenity's window within ${WINDOW_TIMEOUT_MS / 1000} s but the screen did not change.`);
    await delay(50);
  }
  await settle(computer, { signal });
}

function notStarted(cause: NodeJS.ErrnoException): never {
  const what = cause.code === "ENOENT" ? "it is not installed" : messageOf(cause);
  throw new DeskhandError("dependency_missing", `Expected to start zenity but ${what}. Install it (on Debian and Ubuntu: sudo apt-get install -y zenity).`, { cause });
}

function end(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
}
