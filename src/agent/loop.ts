import { messageOf, throwIfAborted } from "../core/errors.js";
import type { Point } from "./actions.js";
import type { Computer } from "./computer/computer.js";
import type { CustomTools } from "./custom-tools.js";
import type { Dialect, Turn } from "./dialects/dialect.js";
import type { Grounder } from "./grounder.js";
import type { LabelReader } from "./label-reader.js";
import type { ModelClient } from "./model-client.js";
import { StepRecord } from "./recorder/step-record.js";
import type { StepLine } from "./recorder/records.js";
import type { RunListener } from "./run-events.js";
import type { HiddenParts } from "./safety/hidden-parts.js";
import { LoopGuard } from "./safety/loop-guard.js";
import type { PointerWatch } from "./safety/pointer-watch.js";
import type { RunController } from "./safety/run-controller.js";
import type { SafetyKernel } from "./safety/safety-kernel.js";
import type { Secrets } from "./safety/secrets.js";
import type { TokenBudget } from "./safety/token-budget.js";
import { takeStep } from "./step.js";
import { Interruption, type Ending } from "./stop.js";

export interface LoopOptions {
  task: string;
  computer: Computer;
  client: ModelClient;
  /** The model's id on the server. */
  model: string;
  dialect: Dialect;
  /** Finds places for a planner. */
  grounder?: Grounder | undefined;
  /** Reads what is about to be pressed, for the safety kernel. */
  labels?: LabelReader | undefined;
  /** Functions of the program. */
  tools: CustomTools;
  maxSteps: number;
  /** Plans the first step and does nothing. */
  dryRun: boolean;
  kernel: SafetyKernel;
  secrets: Secrets;
  controller: RunController;
  pointer: PointerWatch;
  tokens: TokenBudget;
  signal: AbortSignal;
  /** Keeps a picture under a name; resolves with that of its file. */
  keepPicture: (name: string, png: Buffer) => Promise<string>;
  /** Parts of the screen that are kept out of all pictures that people see. */
  hidden: HiddenParts;
  /** Told of everything as it happens. */
  tell: RunListener;
  /** Keeps the line of a step that has ended, the one that failed included. */
  keepStep(step: StepLine): Promise<void>;
}

/** What a run remembers from step to step. */
export interface RunMemory {
  turns: Turn[];
  guard: LoopGuard;
  /** To tell the model with the next picture; with a place, that is shown enlarged. */
  pending?: { text: string; at?: Point };
  /** How many steps in a row were refused. */
  refusals: number;
  /** How many steps in a row were not done because the screen had changed at their target. */
  freshLooks: number;
}

/**
 * Look, ask, act, wait, until one of the two sides has had enough. Never rejects for what happens during the run: the ending says
 * it. Everything held is released on every way out.
 */
export async function runLoop(options: LoopOptions): Promise<Ending> {
  const { computer, controller, maxSteps, signal } = options;
  try {
    const memory: RunMemory = { turns: [], guard: new LoopGuard((await computer.display()).scale), refusals: 0, freshLooks: 0 };
    for (let number = 1; number <= maxSteps; number++) {
      throwIfAborted(signal);
      await controller.pass(signal);
      options.tell({ type: "step_began", step: number });
      const record = new StepRecord(number, { tell: options.tell, redactor: () => options.secrets.redactor() });
      try {
        const ending = await takeStep(options, memory, record);
        if (ending) return ending;
      } catch (error) {
        record.line.error = messageOf(error);
        throw error;
      } finally {
        await options.keepStep(record.finish());
      }
      controller.stepEnded();
    }
    return { success: false, stop: "max_steps", reason: `Stopped at the limit of ${maxSteps} steps before the model was done.` };
  } catch (error) {
    const interruption: unknown = error instanceof Interruption ? error : signal.reason;
    if (interruption instanceof Interruption) return { success: false, stop: interruption.stop, reason: interruption.message };
    return { success: false, stop: "error", reason: messageOf(error) };
  } finally {
    await computer.releaseAll();
  }
}
