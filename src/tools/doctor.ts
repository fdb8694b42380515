import { Command } from "commander";
import { displayOptions } from "./arguments.js";
import { bounded, exitCodeOf, formatChecks, type Check } from "./doctor/check.js";
import { checkDisplays, checkMonitors, checkPrograms, checkSession } from "./doctor/desktop.js";
import { checkMicrophone } from "./doctor/microphone.js";
import { checkModels } from "./doctor/model-store.js";
import { checkPermissions } from "./doctor/permissions.js";
import { checkAddon, checkNode } from "./doctor/runtime.js";
import { abortOnSignals } from "./interrupt.js";
import { progressPrinter } from "./run-report.js";
import { openTerminal } from "./terminal.js";

interface DoctorFlags {
  json?: true;
  calibrate?: true;
  display?: string;
  yes?: true;
  model?: string;
  baseUrl?: string;
  dialect?: string;
}

const CHECK_MS = 45_000;
const CALIBRATION_MS = 60_000;
/** A model may have to be loaded, and small machines take their time for each of its nine answers. */
const GROUNDING_MS = 15 * 60_000;

/** `deskhand doctor`: says what works on this machine and what mends the rest; exit code 1 when something needed does not work. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check what Deskhand needs on this machine, and say what mends it")
    .option("--json", "print one line of JSON")
    .option("--calibrate", "click targets all over the display, and check where the clicks arrive (asks first on a display of yours)")
    .option("--display <which>", "for --calibrate: virtual, current, or a monitor's name or number (the current display where there is one, else a virtual one)")
    .option("--yes", "for --calibrate: take the mouse without asking")
    .option("--model <model>", "check how well this model finds buttons, and whether its dialect fits")
    .option("--base-url <url>", "the same for the model of an OpenAI-compatible server (key: OPENAI_API_KEY)")
    .option("--dialect <name>", "how the model is spoken to (chosen by the model's name unless given)")
    .action(async (flags: DoctorFlags) => {
      const checks = await examine(flags);
      process.stdout.write(flags.json ? `${JSON.stringify(checks)}\n` : formatChecks(checks));
      process.exitCode = exitCodeOf(checks);
    });
}

/** Every check, one after the other: displays and processes are shared by the machine. */
async function examine(flags: DoctorFlags): Promise<Check[]> {
  using interrupt = abortOnSignals();
  const checks: Check[] = [checkNode()];
  const add = async (id: string, title: string, work: (signal: AbortSignal) => Check[] | Promise<Check[]>, timeoutMs = CHECK_MS) => {
    interrupt.signal.throwIfAborted();
    checks.push(...(await bounded({ id, title }, timeoutMs, (signal) => work(AbortSignal.any([signal, interrupt.signal])))));
  };
  await add("addon", "Native addon", () => checkAddon());
  await add("session", "Session", () => checkSession());
  await add("permissions", "Permissions", (signal) => checkPermissions(process.platform, signal));
  await add("display", "Displays", () => checkDisplays());
  await add("monitors", "Monitors", () => checkMonitors());
  await add("microphone", "Microphone", (signal) => checkMicrophone(signal), 10_000);
  await add("programs", "Programs", () => checkPrograms());
  await add("models", "Models", () => checkModels());
  if (flags.calibrate) await add("clicks", "Clicks", (signal) => calibrateDisplay(flags, signal), CALIBRATION_MS);
  if (flags.model !== undefined || flags.baseUrl !== undefined) {
    await add("grounding", "Model's aim", async (signal) => {
      const { checkGrounding } = await import("./doctor/grounding.js");
      return checkGrounding({ model: flags.model, baseURL: flags.baseUrl, dialect: flags.dialect, onProgress: progressPrinter() }, signal);
    }, GROUNDING_MS);
  }
  return checks;
}

async function calibrateDisplay({ display: which, yes }: DoctorFlags, signal: AbortSignal): Promise<Check[]> {
  const { openDisplay } = await import("../agent/display-choice.js");
  const { calibrate } = await import("./doctor/calibrate.js");
  const opened = await openDisplay(displayOptions(which), { width: 1280, height: 800 }, signal);
  try {
    const isOwn = opened.displayName === undefined || opened.displayName === process.env["DISPLAY"];
    if (isOwn && !yes && !(await mayTakeMouse(signal))) return [{ id: "clicks", title: "Clicks", status: "unknown", found: "not tried: nobody allowed the mouse to be taken", mend: "deskhand doctor --calibrate --yes, or --calibrate --display virtual" }];
    return await calibrate(opened.computer, opened.displayName, signal);
  } finally {
    await opened.close();
  }
}

async function mayTakeMouse(signal: AbortSignal): Promise<boolean> {
  using terminal = openTerminal();
  const answer = await terminal?.approver.ask("The calibration covers this display and moves and clicks the mouse for some seconds. Go on? (yes or no)", signal);
  return /^y(es)?$/i.test(answer ?? "");
}
