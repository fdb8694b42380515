import { actSafely } from "./act-safely.js";
import type { Action, Region } from "./actions.js";
import type { Screenshot } from "./computer/computer.js";
import { sameButForCaret, settle, THIN_CARET } from "./computer/settle.js";
import { describeResult } from "./custom-tools.js";
import { decide } from "./decide.js";
import { describeAction, describeActions } from "./describe.js";
import type { Notice, SafetyCheck, Turn } from "./dialects/dialect.js";
import { enlarge } from "./enlarge.js";
import type { LoopOptions, RunMemory } from "./loop.js";
import { observe, toDataUri, type Observation } from "./observe.js";
import type { StepLine } from "./recorder/records.js";
import type { StepRecord } from "./recorder/step-record.js";
import type { ReadLabel } from "./safety/label.js";
import type { Stuck } from "./safety/loop-guard.js";
import type { StepInfo } from "./safety/safety-kernel.js";
import { MAX_FRESH_LOOKS } from "./safety/stale-screen.js";
import { Interruption, type Ending } from "./stop.js";

/** A model that was refused this often in a row has nothing else in mind. */
const MAX_REFUSALS = 3;

/**
 * One step: look, ask, act, wait. What happened goes into `memory` and `record`.
 * @returns how the run ended, if it did
 * @throws Interruption when the run has to end for another reason than the model's word
 */
export async function takeStep(options: LoopOptions, memory: RunMemory, record: StepRecord): Promise<Ending | undefined> {
  const { task, computer, dialect, signal } = options;
  const { line } = record;
  const zoom = memory.turns.at(-1)?.zoom;
  const seen = await observe(computer, dialect, signal, zoom);
  Object.assign(line.timings, { captureMs: seen.captureMs, encodeMs: seen.encodeMs });
  record.see(await keep(options, line, "", seen, seen.shot), seen);
  const notice = await noticeFor(options, memory, seen, line);

  const shown = { picture: seen.dataUri, cursor: seen.cursor, zoomed: zoom !== undefined, notice };
  const { reply, parsed } = await decide(options, { task, turns: memory.turns, screen: seen.screen, functions: options.tools.offers, ...shown }, seen, record);
  record.plan(parsed);
  const actions = parsed.actions.map(({ action }) => action);
  // A planner may say one thing and name another as its target.
  const targets = line.replies.flatMap(({ target }) => target ?? []);
  const info = { step: line.step, words: [parsed.summary, ...targets].join("\n"), readLabel: labelsOf(seen, options, line) };
  if (options.dryRun) return plan(options, actions, info, record);
  await agreeTo(parsed.safetyChecks, options);

  const acted = await record.time("actMs", () => actSafely(options, actions, info, memory.freshLooks < MAX_FRESH_LOOKS ? { shot: seen.shot, display: seen.scene.display, cursor: seen.scene.pointer, focused: seen.focused } : undefined));
  line.done = acted.done;
  if (acted.notes.length > 0) line.safety = acted.notes;
  line.notDone = acted.refused ?? acted.outdated;
  line.stale = acted.stale === undefined ? undefined : true;
  memory.freshLooks = acted.stale ? memory.freshLooks + 1 : 0;
  if (acted.stale && acted.done === 0) tell(memory, `Not done: ${describeActions(parsed.actions)}. ${acted.stale}; look again.`);
  // Nothing was done for a screen that is gone: as if it had never been asked about.
  if (acted.outdated !== undefined && acted.done === 0) return undefined;

  const refused = line.notDone !== undefined;
  const turn: Turn = { summary: parsed.summary, reply, ...shown, zoom: refused ? undefined : lastZoom(actions), hadEffect: true, refused };
  memory.turns.push(turn);
  memory.pending = undefined;
  if (acted.results.length > 0) {
    line.results = acted.results;
    tell(memory, acted.results.map(describeResult).join("\n"));
  }
  if (line.notDone === undefined) {
    const ending = endingOf(actions);
    if (ending) return ending;
    await answerQuestions(options, memory, actions);
  }
  const { frame } = await record.time("settleMs", () => settle(computer, { signal }));
  turn.hadEffect = line.hadEffect = !sameButForCaret(seen.shot, frame, seen.chain.display.scale, THIN_CARET);
  if (line.notDone !== undefined) return refuse(options, memory, actions, acted.done, line.notDone, acted.refused !== undefined);
  memory.refusals = 0;
  const stuck = memory.guard.record({ actions, summary: parsed.summary, before: seen.shot, after: frame });
  if (stuck) await help(options, memory, stuck);
  return undefined;
}

/** Reads labels for a step, and keeps what was read. */
function labelsOf(seen: Observation, { labels }: LoopOptions, line: StepLine): ReadLabel | undefined {
  if (!labels) return undefined;
  return async (at, signal) => {
    const reading = await labels.read(at, seen, signal);
    if (reading) line.readings = [...(line.readings ?? []), reading];
    return reading;
  };
}

/** Keeps a picture of a captured screen, with what has to be hidden on it. */
async function keep({ hidden, keepPicture }: LoopOptions, line: StepLine, suffix: string, { png, shown }: Pick<Observation, "png" | "shown">, shot: Screenshot): Promise<string> {
  const covered = await hidden.cover(png, shown, shot);
  if (covered !== png) line.covered = true;
  return keepPicture(`${String(line.step).padStart(3, "0")}${suffix}`, covered);
}

/** What there is to tell, for a model that can be told. */
async function noticeFor(options: LoopOptions, { pending }: RunMemory, seen: Observation, line: StepLine): Promise<Notice | undefined> {
  if (!pending || !options.dialect.acceptsNotices) return undefined;
  line.notice = pending.text;
  if (!pending.at) return { text: pending.text };
  const detail = await enlarge(seen.shot, seen.scene.display, pending.at);
  line.noticePicture = await keep(options, line, "-notice", detail, seen.shot);
  return { text: pending.text, detail: toDataUri(detail.png) };
}

/** The part of the screen to show next, if any. */
export function lastZoom(actions: readonly Action[]): Region | undefined {
  return actions.findLast((action) => action.type === "zoom")?.region;
}

/** Only a person may agree to what the model's provider warns of. */
async function agreeTo(checks: readonly SafetyCheck[] | undefined, options: LoopOptions): Promise<void> {
  if (!checks) return;
  const { kernel } = options;
  const warnings = checks.map(({ code, message }) => message ?? code ?? "no reason given").join("; ");
  if (!kernel.hasPerson) throw new Interruption("refused", `Stopped, because the model's provider wants a person to agree and there is nobody to ask: ${warnings}`);
  const answer = await askPerson(options, `The model's provider warns: ${warnings} Go on? (yes or no)`);
  if (!/^\s*y(es)?\s*$/i.test(answer ?? "")) throw new Interruption("person", `Stopped by a person, who did not agree to this warning of the model's provider: ${warnings}`);
}

async function plan({ kernel }: LoopOptions, actions: readonly Action[], info: StepInfo, { line }: StepRecord): Promise<Ending> {
  const notes = [];
  for (const action of actions) notes.push(await kernel.preview(action, info));
  line.safety = notes.filter((note) => note !== undefined);
  line.done = 0;
  line.notDone = "This is a dry run.";
  return { success: true, stop: "dry_run", reason: `Dry run: nothing was touched. Planned: ${actions.map(describeAction).join(", then ")}.` };
}

/** Tells the model what was not done and why, or ends the run when that cannot help. */
async function refuse({ computer, dialect, kernel }: LoopOptions, memory: RunMemory, actions: readonly Action[], done: number, why: string, isRefusal: boolean): Promise<Ending | undefined> {
  // Nobody knows when what is held would be released now.
  await computer.releaseAll();
  kernel.released();
  const what = describeAction(actions[done]!);
  if (isRefusal) {
    memory.refusals += 1;
    if (!dialect.acceptsNotices || memory.refusals >= MAX_REFUSALS) return { success: false, stop: "refused", reason: `Not allowed: ${what}. ${why}` };
  }
  const others = actions.length > 1 ? ` Of ${actions.length} actions ${done === 0 ? "none was" : `only the first ${done} were`} done.` : "";
  tell(memory, `${isRefusal ? "Refused" : "Not done"}: ${what}. ${why}${others} ${isRefusal ? "Go on with the user's task in a way that is allowed, or end it." : "Look at the screen again."}`);
  return undefined;
}

/** Whoever is asked may use the mouse to answer. */
function askPerson({ kernel, pointer, signal }: LoopOptions, question: string): Promise<string | undefined> {
  return pointer.whileActing(() => kernel.ask(question, signal));
}

async function answerQuestions(options: LoopOptions, memory: RunMemory, actions: readonly Action[]): Promise<void> {
  const { hasPerson } = options.kernel;
  for (const action of actions) {
    if (action.type !== "ask") continue;
    const answer = await askPerson(options, action.question);
    if (answer === undefined) throw new Interruption(hasPerson ? "person" : "stuck", hasPerson ? "Stopped by a person, who was asked for help." : `The model asks for help and there is nobody to ask: ${action.question}`);
    tell(memory, `The user answers: ${answer}`);
  }
}

/** What can be done about a run that gets nowhere. A model that knows one prompt only was told by that what it did had no effect. */
async function help(options: LoopOptions, memory: RunMemory, { rung, pattern, target }: Stuck): Promise<void> {
  switch (rung) {
    case "hint":
      return tell(memory, `Note: ${pattern}. Do something else: another place, another way, or wait if the program is busy.`);
    case "look":
      return tell(memory, `Note: ${pattern}.${target ? " The second picture shows the place enlarged." : ""} Look closely, then do something else; if the task cannot be done, end it.`, target);
    case "ask": {
      if (!options.kernel.hasPerson) throw new Interruption("stuck", `Stopped, because the run gets nowhere and there is nobody to ask: ${pattern}.`);
      const answer = await askPerson(options, `The run gets nowhere: ${pattern}. What should be done?`);
      if (answer === undefined) throw new Interruption("person", `Stopped by a person, because the run got nowhere: ${pattern}.`);
      memory.guard.reset();
      return tell(memory, `The user says: ${answer}`);
    }
    case "stop":
      throw new Interruption("stuck", `Stopped, because the run gets nowhere: ${pattern}.`);
  }
}

function tell(memory: RunMemory, text: string, at = memory.pending?.at): void {
  memory.pending = { text: memory.pending ? `${memory.pending.text}\n${text}` : text, at };
}

/** An answer ends the run as well as it can, unless the model itself says in the same breath how it ended. */
function endingOf(actions: readonly Action[]): Ending | undefined {
  const answer = actions.find((action) => action.type === "answer")?.text;
  const terminate = actions.find((action) => action.type === "terminate");
  if (terminate) {
    const reason = terminate.message ?? (terminate.success ? "The model says that the task is done." : "The model says that it could not do the task.");
    return { success: terminate.success, stop: "terminate", reason, answer };
  }
  return answer === undefined ? undefined : { success: true, stop: "answer", reason: "The model answered.", answer };
}
