import { isDeskhandError } from "../../core/errors.js";
import { decide } from "../decide.js";
import type { Dialect } from "../dialects/dialect.js";
import { planModel, type ConnectedModel, type ModelOptions, type ModelPlan } from "../model-source.js";
import { StepRecord } from "../recorder/step-record.js";
import type { ReplyRecord } from "../recorder/records.js";
import type { Secrets } from "../safety/secrets.js";
import { TokenBudget } from "../safety/token-budget.js";
import { readVersions } from "../versions.js";
import { compareActions, DEFAULT_TOLERANCE_PX } from "./compare.js";
import { History } from "./history.js";
import type { StoredTrajectory } from "./read-trajectory.js";
import { hasScreen, recordedComputer, recordedLook, type SeenStep } from "./recorded-screen.js";
import { recordedSecrets } from "./recorded-secrets.js";
import { recordedTools, type RecordedTools } from "./recorded-tools.js";
import { reportOf, type ReplayReport, type StepComparison } from "./report.js";

export interface ModelReplayOptions extends ModelOptions {
  /** Points this close are the same, in logical pixels; 5 unless given. */
  tolerancePx?: number;
  signal?: AbortSignal;
  /** Told of each step when it has been compared. */
  onStep?: (step: AskedStep) => void;
}

export interface AskedStep extends StepComparison {
  /** What today's model said; more than one where it had to be asked again, or a grounder too. */
  replies: ReplyRecord[];
  modelMs: number;
}

/**
 * Puts every step of a recorded run to today's model: the recorded history and screens, in prompts as today's agent makes them. Each
 * step is asked as it was recorded, whatever the model said to the one before. No computer is opened.
 * @throws DeskhandError as `Agent.run` does when no model can be had, `model_server`, `cancelled`.
 */
export async function replayWithModel(trajectory: StoredTrajectory, options: ModelReplayOptions = {}): Promise<ReplayReport<AskedStep>> {
  const { signal = new AbortController().signal, tolerancePx = DEFAULT_TOLERANCE_PX } = options;
  const plan = await planFor(trajectory, options, signal);
  const model = await plan.connect(signal);
  try {
    const replay = { trajectory, model, dialect: plan.dialect, tolerancePx, signal, secrets: await recordedSecrets(trajectory.run.task, signal), tools: recordedTools(trajectory.run, plan.dialect) };
    const history = new History(trajectory, plan.dialect);
    const steps: AskedStep[] = [];
    for (const line of trajectory.steps) {
      const asked = hasScreen(line) && line.actions.length > 0 ? await replayStep(line, history, replay) : skipped(line.step);
      steps.push(asked);
      options.onStep?.(asked);
      await history.add(line);
    }
    const { deskhand } = await readVersions();
    return reportOf(trajectory, steps, { replay: "model", today: { model: model.model, dialect: plan.dialect.name, deskhand }, tolerancePx });
  } finally {
    await model.close();
  }
}

/** A model whose name says nothing is taken to speak as the recorded one did. */
async function planFor({ run }: StoredTrajectory, options: ModelOptions, signal: AbortSignal): Promise<ModelPlan> {
  try {
    return await planModel(options, signal);
  } catch (error) {
    if (options.dialect !== undefined || !isDeskhandError(error, "unsupported_model")) throw error;
    return planModel({ ...options, dialect: run.grounder?.dialect ?? run.dialect }, signal);
  }
}

interface Replay {
  trajectory: StoredTrajectory;
  model: ConnectedModel;
  dialect: Dialect;
  tolerancePx: number;
  signal: AbortSignal;
  secrets: Secrets;
  tools: RecordedTools;
}

function skipped(step: number): AskedStep {
  return { step, status: "skipped", actions: [], notes: ["Nothing came of it then."], replies: [], modelMs: 0 };
}

async function replayStep(line: SeenStep, history: History, { trajectory, model, dialect, tolerancePx, signal, secrets, tools }: Replay): Promise<AskedStep> {
  const look = recordedLook(trajectory.dir, line);
  const { chain } = await look.presentTo(dialect);
  const record = new StepRecord(line.step, { tell: () => {}, redactor: () => secrets.redactor() });
  const options = { client: model.client, model: model.model, grounder: model.grounder, dialect, secrets, tools, signal, computer: recordedComputer(line.scene), tokens: new TokenBudget(undefined) };
  const recorded = line.actions.map(({ action }) => action);
  const compare = (today: typeof recorded) => compareActions(recorded, today, { pointer: line.scene.pointer, tolerancePx, words: false });
  const covered = line.covered ? ["A secret is covered on the picture that the recorded model saw."] : [];
  const outcome = (step: Pick<AskedStep, "status" | "actions" | "notes">): AskedStep => ({ step: line.step, ...step, notes: [...step.notes, ...covered], replies: record.line.replies, modelMs: Math.round(record.line.timings.modelMs) });
  try {
    const { parsed } = await decide(options, { ...(await history.conversation(line)), functions: tools.offers }, { ...look, chain }, record);
    const actions = compare(parsed.actions.map(({ action }) => action));
    return outcome({ status: actions.every(({ differences }) => differences.length === 0) ? "same" : "different", actions, notes: [] });
  } catch (error) {
    if (!isDeskhandError(error, "model_output")) throw error;
    return outcome({ status: "unusable", actions: compare([]), notes: [error.message] });
  }
}
