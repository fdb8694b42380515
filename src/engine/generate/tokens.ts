import { DeskhandError, isDeskhandError, throwIfAborted } from "../../core/errors.js";
import type { Session } from "../cache/session.js";
import { asyncEval, concatenate, disposeAll, scope, squeeze, tensor, waitFor, type Fence, type Tensor } from "../mlx/index.js";
import type { Architecture, Prompt } from "../models/architecture.js";
import type { ResolvedOptions } from "./options.js";
import { prefill } from "./prefill.js";
import { Sampler } from "./sampler.js";

export interface GenerateTokensOptions {
  sampling: ResolvedOptions;
  signal?: AbortSignal;
  /** Told before the prompt runs how many of its rows the cache has already. */
  onPrefill?: (cachedRows: number) => void;
}

/** The next token, being computed. */
interface Pending {
  token: Tensor;
  fence: Fence;
}

/**
 * Generates token ids, one by one, until `maxTokens`, the context's end, an abort, or the caller leaves. The step after a token
 * is dispatched before the token is read, so the device never waits for JavaScript.
 *
 * Afterwards the session holds the prompt and the yielded tokens whose rows have been computed: all but perhaps the last.
 * @throws DeskhandError `context_length_exceeded` before any work, `cancelled` within one step of an abort.
 */
export async function* generateTokens(model: Architecture, prompt: Prompt, session: Session, { sampling, signal, onPrefill }: GenerateTokensOptions): AsyncGenerator<number, void> {
  const promptLength = prompt.tokenIds.length;
  checkLength(promptLength, model.contextLength);
  throwIfAborted(signal);
  const budget = Math.min(sampling.maxTokens, model.contextLength - promptLength);
  const sampler = new Sampler(sampling);
  const ids = [...prompt.tokenIds];
  let pending: Pending | undefined;
  let next: Pending | undefined;
  try {
    const sampled = (logits: Tensor): Pending => {
      using _ = logits;
      return dispatch(() => sampler.sample(logits, latest(ids, undefined, sampler.window)));
    };
    pending = sampled(await prefill(model, prompt, session, { signal, onPrefill }));
    const { next: firstPosition } = model.plan(prompt);
    for (let step = 0; pending !== undefined; step++) {
      const current: Pending = pending;
      const crosses = promptLength + step === model.lengthBorder;
      if (step + 1 < budget && !crosses) {
        next = dispatch(() => {
          const hidden = model.decode({ embeddings: model.embed(current.token), rotary: { offset: firstPosition + step } }, session.caches);
          return sampler.sample(squeeze(model.logits(hidden), 1), latest(ids, current.token, sampler.window));
        });
      }
      await waitFor(current.fence);
      throwIfAborted(signal);
      const id = current.token.item();
      disposeAll([current.token, current.fence]);
      pending = next;
      next = undefined;
      ids.push(id);
      // The step that has been dispatched already computes this token's row.
      if (pending !== undefined) session.append([id]);
      yield id;
      throwIfAborted(signal);
      // With this token the sequence is long, and all its rows are other ones.
      if (crosses && step + 1 < budget) pending = sampled(await prefill(model, { tokenIds: ids, media: prompt.media }, session, { signal }));
    }
  } catch (error) {
    // After a failure nobody knows what the caches hold; after an abort they are as good as before it.
    if (!isDeskhandError(error, "cancelled")) session.clear();
    throw error;
  } finally {
    for (const left of [pending, next]) {
      if (left === undefined) continue;
      await waitFor(left.fence).catch(() => undefined);
      disposeAll([left.token, left.fence]);
    }
    session.settle();
  }
}

function dispatch(step: () => Tensor): Pending {
  const token = scope(step);
  return { token, fence: asyncEval(token) };
}

/** The latest tokens, `[1, n]`, for the repetition penalty: those read already and the one still being computed. */
function latest(ids: readonly number[], computing: Tensor | undefined, window: number): Tensor | undefined {
  if (window === 0) return undefined;
  const known = ids.slice(-(computing === undefined ? window : Math.max(window - 1, 1)));
  const read = tensor(Int32Array.from(known), [1, known.length]);
  return computing === undefined ? read : concatenate([read, computing], 1);
}

function checkLength(promptLength: number, contextLength: number): void {
  if (promptLength === 0) throw new DeskhandError("invalid_argument", "Expected a prompt of at least one token but received an empty one.");
  if (promptLength >= contextLength) {
    throw new DeskhandError("context_length_exceeded", `Expected a prompt shorter than this model's context of ${contextLength} tokens but received ${promptLength}. Shorten the conversation, or send fewer or smaller pictures.`, { param: "messages" });
  }
}
