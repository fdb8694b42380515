import { createLogger } from "../../core/log.js";
import { messageOf } from "../../core/errors.js";
import type { Computer } from "../computer/computer.js";
import { watchFailsafeCorner } from "../computer/failsafe.js";
import type { LoopOptions } from "../loop.js";
import type { ResolvedAgentOptions } from "../options.js";
import type { RunLine } from "../recorder/records.js";
import { Interruption, type Interrupter } from "../stop.js";
import { Capabilities } from "./capabilities.js";
import { readCapabilityFile } from "./capability-file.js";
import { discreetApprover } from "./discreet-approver.js";
import { HiddenParts } from "./hidden-parts.js";
import { PointerWatch } from "./pointer-watch.js";
import { RunController } from "./run-controller.js";
import { SafetyKernel } from "./safety-kernel.js";
import { readSecret } from "./secret-sources.js";
import { Secrets } from "./secrets.js";
import { TokenBudget } from "./token-budget.js";

const log = createLogger("safety");

export type Guarded = Pick<LoopOptions, "kernel" | "controller" | "pointer" | "tokens" | "secrets" | "hidden"> & AsyncDisposable;

export type Watched = Pick<LoopOptions, "controller" | "pointer" | "tokens"> & AsyncDisposable;

/** What keeps a run safe, before anything is opened for it. */
export interface PreparedSafety {
  secrets: Secrets;
  hidden: HiddenParts;
  described: Omit<RunLine["safety"], "dryRun">;
  /** Sets everything up around an open computer. */
  guard(computer: Computer, interrupter: Interrupter): Promise<Guarded>;
}

type SafetyFields = Pick<ResolvedAgentOptions, "tools" | "capabilities" | "confirm" | "approver" | "controller" | "stopKeys" | "secretSource" | "coverSecrets" | "maxTokens" | "dryRun">;

/** @throws DeskhandError `invalid_argument` for a capability file that cannot be used, or a secret that cannot be had. */
export async function prepareSafety(options: SafetyFields, task: string, signal: AbortSignal): Promise<PreparedSafety> {
  const { capabilities: given, confirm } = options;
  const file = typeof given === "string" ? await readCapabilityFile(given) : given;
  const capabilities = file && new Capabilities(file);
  const hidden = new HiddenParts(options.coverSecrets);
  const secrets = await Secrets.load(task, options.secretSource ?? readSecret, signal);
  return {
    secrets,
    hidden,
    described: { confirm, ...(given !== undefined && { capabilities: typeof given === "string" ? given : "(given in the program)" }) },
    guard: async (computer, interrupter) => {
      const approver = options.approver && discreetApprover(options.approver, secrets, hidden);
      const kernel = new SafetyKernel({ computer, task, confirm, capabilities, approver, riskOf: (name) => options.tools.find((tool) => tool.name === name)?.risk });
      return { ...(await guardRun(options, computer, interrupter)), kernel, secrets, hidden };
    },
  };
}

/** Everything by which a person can take hold, around an open computer. */
export async function guardRun({ controller: given, stopKeys, maxTokens, dryRun }: Pick<SafetyFields, "controller" | "stopKeys" | "maxTokens" | "dryRun">, computer: Computer, interrupter: Interrupter): Promise<Watched> {
  const controller = given ?? new RunController();
  const watches: (Disposable | AsyncDisposable)[] = [];
  const stop = (reason: string) => interrupter.interrupt(new Interruption("person", reason));
  watches.push(watchFailsafeCorner(computer.whole ?? computer, () => interrupter.interrupt(new Interruption("failsafe", "Stopped by a person: the pointer was pushed into the top left corner."))));
  const pointer = new PointerWatch(computer, {
    onMoved: () => !dryRun && controller.pause("The mouse was moved by a person."),
    // Whoever gave a controller decides; nobody else could.
    onRested: () => !given && controller.resume(),
  });
  watches.push(pointer);
  await pointer.look();
  if (stopKeys !== "" && computer.watchHotkey) {
    try {
      watches.push(await computer.watchHotkey([stopKeys], () => stop(`Stopped by a person: ${stopKeys} was pressed.`)));
    } catch (error) {
      log.warn(`the stop keys do not work: ${messageOf(error)}`);
    }
  }
  return { controller, pointer, tokens: new TokenBudget(maxTokens), [Symbol.asyncDispose]: () => endAll(watches) };
}

async function endAll(watches: readonly (Disposable | AsyncDisposable)[]): Promise<void> {
  for (const watch of watches.toReversed()) {
    if (Symbol.asyncDispose in watch) await watch[Symbol.asyncDispose]();
    else watch[Symbol.dispose]();
  }
}
