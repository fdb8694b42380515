import { DeskhandError, isDeskhandError } from "../core/errors.js";
import { parseWith } from "../core/json.js";
import { createLogger } from "../core/log.js";
import type { Computer, Display } from "./computer/computer.js";
import { partOf } from "./computer/part-of-screen.js";
import { CustomTools } from "./custom-tools.js";
import { openDisplay } from "./display-choice.js";
import { labelReader } from "./label-reader.js";
import { runLoop } from "./loop.js";
import { planModel, type ConnectedModel, type ModelPlan } from "./model-source.js";
import { AgentOptions, type ResolvedAgentOptions } from "./options.js";
import { Recorder } from "./recorder/recorder.js";
import { TRAJECTORY_VERSION, type ResultLine, type RunLine } from "./recorder/records.js";
import type { RunListener } from "./run-events.js";
import { prepareSafety, type PreparedSafety } from "./safety/prepare.js";
import type { Secrets } from "./safety/secrets.js";
import { Interrupter, Interruption, type Ending } from "./stop.js";
import { readVersions } from "./versions.js";

const log = createLogger("agent");

export type { AgentOptions };

export interface AgentResult extends Ending {
  /** How many steps were taken, the last one included when it failed. */
  steps: number;
  /** How many of them did nothing, or not all, because the screen had changed at a target; absent for none. */
  staleSteps?: number | undefined;
  durationMs: number;
  /** Folder with `trajectory.jsonl`, the pictures and `index.html`. */
  trajectoryDir: string;
}

/** What a run works with, and how to give it back. */
interface Workplace {
  computer: Computer;
  /** For people, e.g. `:99`; absent for a computer that was given. */
  displayName?: string;
  model: ConnectedModel;
  close(): Promise<void>;
}

/**
 * Operates a computer with a model, one task at a time.
 *
 * ```ts
 * const result = await new Agent({ display: "virtual" }).run("press OK");
 * ```
 */
export class Agent {
  readonly #options: ResolvedAgentOptions;

  /** @throws DeskhandError `invalid_argument` naming the option at fault. */
  constructor(options: AgentOptions = {}) {
    this.#options = parseWith(AgentOptions, options, "The agent's options");
  }

  /**
   * Works on the task until the model ends it, a limit is reached, the signal aborts, or a person stops it: by the controller, by the
   * stop keys, or by pushing the pointer into the top left corner of the screen. `{{secret:NAME}}` in the task is typed as the secret
   * of that name, which only the keyboard gets to know. However it ends, the model is stopped, every held key and button is released, and the trajectory is written.
   * @throws DeskhandError only when the run cannot begin (no display, no model, bad options); the result tells everything later.
   */
  async run(task: string, { signal }: { signal?: AbortSignal } = {}): Promise<AgentResult> {
    if (task.trim() === "") throw new DeskhandError("invalid_argument", "Expected a task in words but received an empty one.", { param: "task" });
    using interrupter = new Interrupter([this.#options.signal, signal]);
    // Before there is anything to guard: models take long to load.
    using _stops = this.#options.controller?.onStop((reason) => interrupter.interrupt(new Interruption("person", `Stopped by a person${reason === "" ? "" : `: ${reason}`}.`)));
    const safety = await prepareSafety(this.#options, task, interrupter.signal);
    const plan = await planModel(this.#options, interrupter.signal);
    const tools = new CustomTools(this.#options.tools, plan.dialect);
    const workplace = await this.#open(plan, interrupter.signal);
    try {
      return await this.#work(task, { ...plan, tools }, workplace, safety, interrupter);
    } finally {
      await workplace.close();
    }
  }

  async #work(task: string, plan: ModelPlan & { tools: CustomTools }, { computer, displayName, model }: Workplace, safety: PreparedSafety, interrupter: Interrupter): Promise<AgentResult> {
    const { maxSteps, maxSeconds, maxTokens, outDir, dryRun, readLabels } = this.#options;
    const { secrets } = safety;
    const tell = this.#teller(secrets);
    const startedAt = performance.now();
    const run: RunLine = {
      type: "run",
      version: TRAJECTORY_VERSION,
      startedAt: new Date().toISOString(),
      task: secrets.redact(task),
      model: model.model,
      baseURL: model.client.baseURL,
      dialect: plan.dialect.name,
      grounder: model.grounder && { model: model.grounder.model, baseURL: model.grounder.client.baseURL, dialect: model.grounder.dialect.name },
      display: describeDisplay(displayName, await computer.display()),
      functions: plan.tools.offers.length > 0 ? [...plan.tools.offers] : undefined,
      limits: { maxSteps, maxSeconds, maxTokens },
      safety: { ...safety.described, dryRun },
      versions: await readVersions(),
    };
    await using recorder = await Recorder.create(outDir, run);
    tell({ type: "run_began", run, trajectoryDir: recorder.dir });
    if (maxSeconds !== undefined) interrupter.limit(maxSeconds);
    await using guarded = await safety.guard(computer, interrupter);
    const ending = await runLoop({
      ...guarded,
      task,
      computer,
      client: model.client,
      model: model.model,
      dialect: plan.dialect,
      grounder: model.grounder,
      labels: readLabels ? labelReader({ ...model, dialect: plan.dialect, computer, tokens: guarded.tokens }) : undefined,
      tools: plan.tools,
      maxSteps,
      dryRun,
      signal: interrupter.signal,
      tell,
      keepPicture: (name, png) => recorder.picture(name, png),
      keepStep: async (step) => {
        const line = secrets.redact({ ...step, replies: step.replies.map((reply) => secrets.redactReply(reply)) });
        await recorder.step(line);
        tell({ type: "step_ended", line });
      },
    });
    const counted = { ...secrets.redact(ending), steps: recorder.steps, staleSteps: recorder.staleSteps || undefined, durationMs: Math.round(performance.now() - startedAt) };
    const result: ResultLine = { type: "result", endedAt: new Date().toISOString(), ...counted };
    await recorder.finish(result);
    tell({ type: "run_ended", result });
    return { ...counted, trajectoryDir: recorder.dir };
  }

  /** A listener that is told no secrets, and whose mistakes are its own. */
  #teller(secrets: Secrets): RunListener {
    const { onEvent } = this.#options;
    return (event) => {
      try {
        onEvent?.(secrets.redact(event));
      } catch (error) {
        log.error({ err: error }, "a listener failed");
      }
    };
  }

  /** Opens display and model side by side; when one fails, the other is called off or closed again. */
  async #open(plan: ModelPlan, signal: AbortSignal): Promise<Workplace> {
    const { computer } = this.#options;
    const given = computer && { computer, displayName: undefined, close: async () => {} };
    const failure = new AbortController();
    const eitherSignal = AbortSignal.any([signal, failure.signal]);
    const callOffOther = (error: unknown): never => {
      failure.abort();
      throw error;
    };
    const [opening, connecting] = await Promise.allSettled([
      given ?? openDisplay(this.#options, plan.dialect.display, eitherSignal).catch(callOffOther),
      plan.connect(eitherSignal).catch(callOffOther),
    ]);
    const close = async () => {
      const closing = [opening, connecting].flatMap((opened) => (opened.status === "fulfilled" ? [opened.value.close()] : []));
      await Promise.allSettled(closing);
    };
    if (opening.status === "fulfilled" && connecting.status === "fulfilled") {
      return { computer: partOf(opening.value.computer, this.#options), displayName: opening.value.displayName, model: connecting.value, close };
    }
    await close();
    const errors = [opening, connecting].flatMap((opened) => (opened.status === "rejected" ? [opened.reason as unknown] : []));
    throw errors.find((error) => !isDeskhandError(error, "cancelled")) ?? errors[0];
  }
}

function describeDisplay(name: string | undefined, { width, height, scale }: Display): string {
  return `${name === undefined ? "" : `${name}, `}${width} × ${height}${scale === 1 ? "" : ` at scale ${scale}`}`;
}
