import { DeskhandError, isDeskhandError } from "../core/errors.js";
import { askModel, type AskOptions } from "./ask-model.js";
import { checkActions } from "./check.js";
import type { Conversation, ParsedStep } from "./dialects/dialect.js";
import { locate } from "./grounder.js";
import type { LoopOptions } from "./loop.js";
import type { ModelReply } from "./model-client.js";
import type { Observation } from "./observe.js";
import type { StepRecord } from "./recorder/step-record.js";

/**
 * Asks until there are actions that can be done: once, and once more where telling the model what was wrong can help.
 * @throws DeskhandError `model_output` when there are none even then.
 */
export async function decide(options: LoopOptions, conversation: Conversation, seen: Observation, record: StepRecord): Promise<{ reply: ModelReply; parsed: ParsedStep }> {
  const { dialect, computer, secrets } = options;
  const reply = await ask(options, conversation, record);
  try {
    const parsed = await read(options, reply, seen, record);
    const actions = parsed.actions.map(({ action }) => action);
    await checkActions(actions, computer);
    for (const action of actions) secrets.check(action);
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

/** A planner's places are found by the grounder, one after the other. */
async function read(options: LoopOptions, reply: ModelReply, seen: Observation, record: StepRecord): Promise<ParsedStep> {
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

async function ask(options: LoopOptions, conversation: Conversation, record: StepRecord): Promise<ModelReply> {
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
function endReply({ tokens }: LoopOptions, record: StepRecord, reply: ModelReply): void {
  try {
    tokens.spend(reply.usage);
  } finally {
    record.endReply(reply, tokens.spent);
  }
}
