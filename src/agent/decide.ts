import { DeskhandError, isDeskhandError } from "../core/errors.js";
import { askModel, type AskOptions } from "./ask-model.js";
import { checkActions, type CheckedComputer } from "./check.js";
import type { CoordinateChain } from "./coordinates.js";
import type { CustomTools } from "./custom-tools.js";
import type { Conversation, ParsedStep } from "./dialects/dialect.js";
import { locate } from "./grounder.js";
import type { LoopOptions } from "./loop.js";
import type { ModelReply } from "./model-client.js";
import type { Look } from "./observe.js";
import type { StepRecord } from "./recorder/step-record.js";
import type { Secrets } from "./safety/secrets.js";

export type DecideOptions = Pick<LoopOptions, "client" | "model" | "dialect" | "grounder" | "secrets" | "tokens" | "signal"> & { computer: CheckedComputer; tools: Pick<CustomTools, "read"> };

/** The screen that a model is asked about. */
export type Seen = Look & { chain: CoordinateChain };

/**
 * Asks until there are actions that can be done: once, and once more where telling the model what was wrong can help.
 * @throws DeskhandError `model_output` when there are none even then.
 */
export async function decide(options: DecideOptions, conversation: Conversation, seen: Seen, record: StepRecord): Promise<{ reply: ModelReply; parsed: ParsedStep }> {
  const { dialect, computer, secrets } = options;
  const reply = await ask(options, conversation, record);
  try {
    const parsed = await understand(options, reply, seen, record);
    await checkUsable(parsed, computer, secrets);
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

/** Whether all of it can be done on this screen. @throws DeskhandError `model_output`, worded for the model. */
export async function checkUsable(parsed: ParsedStep, computer: CheckedComputer, secrets: Secrets): Promise<void> {
  const actions = parsed.actions.map(({ action }) => action);
  await checkActions(actions, computer);
  for (const action of actions) secrets.check(action);
}

/**
 * What a reply says. A model may have read a secret from the screen: what it says of that is the secret itself from here on, with all
 * that holds for it, and no message quotes a part of it.
 */
async function understand(options: DecideOptions, reply: ModelReply, seen: Seen, record: StepRecord): Promise<ParsedStep> {
  const { secrets } = options;
  try {
    return secrets.redact(await read(options, reply, seen, record));
  } catch (error) {
    const clean = secrets.redactReply(reply);
    if (!isDeskhandError(error, "model_output") || JSON.stringify(clean) === JSON.stringify(reply)) throw error;
    return read(options, clean, seen, record);
  }
}

/** A planner's places are found by the grounder, one after the other. */
async function read(options: DecideOptions, reply: ModelReply, seen: Seen, record: StepRecord): Promise<ParsedStep> {
  const { dialect, grounder, secrets, signal } = options;
  const calls = options.tools.read(reply);
  if (calls) return calls;
  if (!dialect.ground || !grounder) return dialect.parse(reply, seen.chain);
  return dialect.ground(reply, (words) => {
    record.beginReply(words);
    const onReply = (found: ModelReply) => endReply(options, record, found);
    return record.time("modelMs", () => locate(grounder, secrets.redact(words), seen, { signal, onReply, ...listenFor(record) }));
  });
}

async function ask(options: DecideOptions, conversation: Conversation, record: StepRecord): Promise<ModelReply> {
  const { client, model, dialect, secrets, tokens, signal } = options;
  const sampling = tokens.cap(dialect.sampling);
  record.beginReply();
  const reply = await record.time("modelMs", () =>
    // What a screen or a person let slip goes no further than the reply it came with.
    askModel(client, model, dialect.render(secrets.redact(conversation)), {
      sampling,
      signal,
      ...listenFor(record),
    }),
  );
  endReply(options, record, reply);
  return reply;
}

function listenFor(record: StepRecord): Pick<AskOptions, "onText" | "onReasoning"> {
  return { onText: (text) => record.addText(text), onReasoning: (text) => record.addThinking(text) };
}

/** What a reply cost is known even when it was too much. */
function endReply({ tokens }: DecideOptions, record: StepRecord, reply: ModelReply): void {
  try {
    tokens.spend(reply.usage);
  } finally {
    record.endReply(reply, tokens.spent);
  }
}
