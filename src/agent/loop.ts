import { DeskhandError, isDeskhandError, messageOf, throwIfAborted } from "../core/errors.js";
import { perform } from "./act.js";
import type { Action } from "./actions.js";
import { checkActions } from "./check.js";
import type { Computer } from "./computer/computer.js";
import { sameButForCaret, settle, THIN_CARET } from "./computer/settle.js";
import type { Conversation, Dialect, ParsedStep, Turn } from "./dialects/dialect.js";
import type { ModelClient, ModelReply } from "./model-client.js";
import { observe, type Observation } from "./observe.js";
import { StepRecord } from "./recorder/step-record.js";
import type { StepLine } from "./recorder/records.js";
import { Interruption, type Ending } from "./stop.js";

export interface LoopOptions {
  task: string;
  computer: Computer;
  client: ModelClient;
  /** The model's id on the server. */
  model: string;
  dialect: Dialect;
  maxSteps: number;
  signal: AbortSignal;
  /** Keeps the picture of a step; resolves with its file name. */
  keepPicture(step: number, png: Buffer): Promise<string>;
  /** Told of every step when it ends, the one that failed included. */
  onStep(step: StepLine): Promise<void>;
}

/**
 * Look, ask, act, wait, until one of the two sides has had enough. Never rejects for what happens during the run: the ending says
 * it. Everything held is released on every way out.
 */
export async function runLoop(options: LoopOptions): Promise<Ending> {
  const turns: Turn[] = [];
  try {
    for (let number = 1; number <= options.maxSteps; number++) {
      throwIfAborted(options.signal);
      const record = new StepRecord(number);
      try {
        const { turn, ending } = await takeStep(options, turns, record);
        if (ending) return ending;
        turns.push(turn);
      } catch (error) {
        record.line.error = messageOf(error);
        throw error;
      } finally {
        await options.onStep(record.finish());
      }
    }
    return { success: false, stop: "max_steps", reason: `Stopped at the limit of ${options.maxSteps} steps before the model was done.` };
  } catch (error) {
    const interruption: unknown = options.signal.reason;
    if (interruption instanceof Interruption) return { success: false, stop: interruption.stop, reason: interruption.message };
    return { success: false, stop: "error", reason: messageOf(error) };
  } finally {
    await options.computer.releaseAll();
  }
}

async function takeStep(options: LoopOptions, turns: readonly Turn[], record: StepRecord): Promise<{ turn: Turn; ending?: Ending }> {
  const { task, computer, dialect, signal } = options;
  const { line } = record;
  const seen = await observe(computer, dialect, signal);
  Object.assign(line.timings, { captureMs: seen.captureMs, encodeMs: seen.encodeMs });
  line.chain = seen.chain;
  line.picture = await options.keepPicture(line.step, seen.png);

  const { reply, parsed } = await decide(options, { task, turns, picture: seen.dataUri }, seen, record);
  line.summary = parsed.summary;
  line.actions = parsed.actions;
  const actions = parsed.actions.map(({ action }) => action);
  await record.time("actMs", async () => {
    for (const action of actions) await perform(computer, action, signal);
  });
  const turn = { summary: parsed.summary, reply, picture: seen.dataUri, hadEffect: true };
  const ending = endingOf(actions);
  if (ending) return { turn, ending };
  const { frame } = await record.time("settleMs", () => settle(computer, { signal }));
  line.hadEffect = !sameButForCaret(seen.shot, frame, seen.chain.display.scale, THIN_CARET);
  return { turn: { ...turn, hadEffect: line.hadEffect } };
}

/** Asks until there are actions that can be done: once, and once more where telling the model what was wrong can help. */
async function decide(options: LoopOptions, conversation: Conversation, seen: Observation, record: StepRecord): Promise<{ reply: ModelReply; parsed: ParsedStep }> {
  const { dialect, computer } = options;
  const reply = await ask(options, conversation, record);
  try {
    const parsed = dialect.parse(reply, seen.chain);
    await checkActions(parsed.actions.map(({ action }) => action), computer);
    return { reply, parsed };
  } catch (error) {
    if (!isDeskhandError(error, "model_output")) throw error;
    record.refuseReply(error.message);
    const isSecond = conversation.correction !== undefined;
    if (isSecond || !dialect.acceptsNotices) {
      throw new DeskhandError("model_output", `The model's reply could not be used${isSecond ? ", not even after it was told why" : ""}. ${error.message}`, { cause: error });
    }
    return decide(options, { ...conversation, correction: { reply, reason: error.message } }, seen, record);
  }
}

async function ask({ client, model, dialect, signal }: LoopOptions, conversation: Conversation, record: StepRecord): Promise<ModelReply> {
  record.beginReply();
  const reply = await record.time("modelMs", () =>
    client.complete(model, {
      messages: dialect.render(conversation),
      tools: dialect.tools,
      sampling: dialect.sampling,
      signal,
      onText: (text) => record.addText(text),
    }),
  );
  record.endReply(reply);
  return reply;
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
