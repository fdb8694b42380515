import { DeskhandError, isDeskhandError } from "../core/errors.js";
import { askModel, type AskOptions } from "./ask-model.js";
import type { CoordinateChain, PointTrace } from "./coordinates.js";
import type { Dialect } from "./dialects/dialect.js";
import type { ModelClient, ModelReply } from "./model-client.js";
import type { Look } from "./observe.js";

/** A model that finds places on a screenshot. Whatever dialect it speaks, it is asked to click, and only its point is used. */
export interface Grounder {
  client: ModelClient;
  /** The model's id on the server. */
  model: string;
  dialect: Dialect;
}

export interface LocateOptions extends Pick<AskOptions, "onText" | "onReasoning"> {
  signal: AbortSignal;
  /** Told of the reply, whatever it is worth. */
  onReply: (reply: ModelReply) => void;
}

/**
 * Finds what is described.
 * @throws DeskhandError `model_output`, worded for the planner, when the grounder gives no point.
 */
export async function locate({ client, model, dialect }: Grounder, words: string, look: Look, { onReply, ...asking }: LocateOptions): Promise<PointTrace> {
  const { dataUri, chain, screen, cursor } = await look.presentTo(dialect);
  const conversation = { task: `Click this and nothing else: ${words}`, turns: [], picture: dataUri, screen, cursor };
  const reply = await askModel(client, model, dialect.render(conversation), { sampling: dialect.sampling, ...asking });
  onReply(reply);
  return readPlace(dialect, reply, chain, words);
}

/** The place that a reply names. @throws as `locate` does. */
export function readPlace(dialect: Dialect, reply: ModelReply, chain: CoordinateChain, words: string): PointTrace {
  try {
    const [point] = dialect.parse(reply, chain).actions.flatMap(({ points }) => points);
    if (point) return point;
  } catch (error) {
    if (!isDeskhandError(error, "model_output")) throw error;
    throw notFound(words, error);
  }
  throw notFound(words);
}

function notFound(words: string, cause?: unknown): DeskhandError {
  return new DeskhandError("model_output", `Expected a target that can be found on the screenshot but ${JSON.stringify(words)} was not found. Describe it in another way, or check that it is there.`, { cause });
}
