import { isDeskhandError } from "../../core/errors.js";
import type { Action } from "../actions.js";
import { checkUsable } from "../decide.js";
import type { Dialect, ParsedStep } from "../dialects/dialect.js";
import { dialectByName, recordedDialect } from "../dialects/index.js";
import { readPlace } from "../grounder.js";
import { layOut } from "../scene.js";
import type { Secrets } from "../safety/secrets.js";
import { readVersions } from "../versions.js";
import { compareActions } from "./compare.js";
import { attemptsOf, toReply, type Attempt } from "./history.js";
import type { StoredTrajectory } from "./read-trajectory.js";
import { hasScreen, recordedComputer, type SeenStep } from "./recorded-screen.js";
import { recordedSecrets } from "./recorded-secrets.js";
import { recordedTools, type RecordedTools } from "./recorded-tools.js";
import { reportOf, type ReplayReport, type StepComparison } from "./report.js";

export interface ParseReplayOptions {
  /** Another dialect than the recorded one. */
  dialect?: string;
  signal?: AbortSignal;
}

/**
 * Reads every recorded reply as today's agent would, and compares what it makes of them with what was done then, exactly. Nothing is
 * asked and nothing touched.
 * @throws DeskhandError `invalid_argument` for a dialect that does not exist any more, `cancelled`.
 */
export async function replayParse(trajectory: StoredTrajectory, { dialect: named, signal = new AbortController().signal }: ParseReplayOptions = {}): Promise<ReplayReport> {
  const { run } = trajectory;
  const dialect = named === undefined ? recordedDialect(run.dialect) : dialectByName(named);
  const reader: Reader = {
    dialect,
    grounder: run.grounder && dialectByName(run.grounder.dialect),
    secrets: await recordedSecrets(run.task, signal),
    tools: recordedTools(run, dialect),
  };
  const steps: StepComparison[] = [];
  for (const step of trajectory.steps) {
    signal.throwIfAborted();
    steps.push(hasScreen(step) ? await replayStep(step, reader) : { step: step.step, status: "skipped", actions: [], notes: ["There was no screen yet."] });
  }
  const { deskhand } = await readVersions();
  return reportOf(trajectory, steps, { replay: "parse", today: { dialect: reader.dialect.name, deskhand }, tolerancePx: 0 });
}

interface Reader {
  dialect: Dialect;
  /** Of the model that found places for a planner. */
  grounder: Dialect | undefined;
  secrets: Secrets;
  tools: RecordedTools;
}

async function replayStep(line: SeenStep, reader: Reader): Promise<StepComparison> {
  const done: StepComparison = { step: line.step, status: "skipped", actions: [], notes: [] };
  const recorded = line.actions.map(({ action }) => action);
  for (const attempt of attemptsOf(line)) {
    const { reply, refused } = attempt;
    if (reply.finishReason === undefined) {
      done.notes.push("The reply was cut short.");
      continue;
    }
    const today = await read(attempt, line, reader);
    const then = refused === undefined ? recorded : undefined;
    // Planned or refused: something came of every whole reply, unless the run ended on it.
    if (then?.length === 0) {
      done.notes.push("The run ended before the reply was read.");
      continue;
    }
    const different = compare(done, { then, refused }, today, line);
    done.status = different || done.status === "different" ? "different" : "same";
  }
  if (done.status === "skipped" && done.notes.length === 0) done.notes.push("There was no reply.");
  return done;
}

/** @returns whether they differ */
function compare(into: StepComparison, { then, refused }: { then: Action[] | undefined; refused?: string }, today: Action[] | { refused: string }, { scene }: SeenStep): boolean {
  if ("refused" in today) {
    if (!then) return false;
    into.notes.push(`It is refused today: ${today.refused}`);
    into.actions.push(...compareActions(then, [], { pointer: scene.pointer, tolerancePx: 0, words: true }));
    return true;
  }
  const actions = compareActions(then ?? [], today, { pointer: scene.pointer, tolerancePx: 0, words: true });
  into.actions.push(...actions);
  if (!then) into.notes.push(`It was refused then: ${refused}`);
  return actions.some(({ differences }) => differences.length > 0);
}

/** What today's agent would make of a reply, or why it would not use it. */
async function read({ reply, found }: Attempt, { chain, scene }: SeenStep, { dialect, grounder, secrets, tools }: Reader): Promise<Action[] | { refused: string }> {
  try {
    const parsed = await parse();
    await checkUsable(parsed, recordedComputer(scene), secrets);
    return parsed.actions.map(({ action }) => action);
  } catch (error) {
    if (!isDeskhandError(error, "model_output")) throw error;
    return { refused: error.message };
  }

  async function parse(): Promise<ParsedStep> {
    const calls = tools.read(toReply(reply));
    if (calls) return calls;
    // The picture is the one that was sent; how its coordinates count is the dialect's affair.
    if (!dialect.ground || !grounder) return dialect.parse(toReply(reply), { ...chain, space: dialect.space });
    const places = [...found];
    return dialect.ground(toReply(reply), async (words) => {
      const next = places.shift();
      const asked = secrets.redact(words);
      return readPlace(grounder, next?.target === asked ? toReply(next) : NOTHING, layOut(scene, grounder).chain, words);
    });
  }
}

/** For a place that the grounder was not asked about then. */
const NOTHING = toReply({ text: "", toolCalls: [] });
