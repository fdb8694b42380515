import { DeskhandError, isDeskhandError, throwIfAborted } from "../../core/errors.js";
import type { Session } from "../cache/session.js";
import { asyncEval, disposeAll, scope, squeeze, waitFor, type Fence, type Tensor } from "../mlx/index.js";
import type { Architecture, Prompt } from "../models/architecture.js";
import type { ResolvedOptions } from "./options.js";
import { prefill } from "./prefill.js";
import { readSampled, Sampler, tensorsOf, type Constraint, type Sampled, type TokenChoice } from "./sampler.js";

export interface GenerateTokensOptions {
  sampling: ResolvedOptions;
  /** What the tokens have to obey; disposed of at the end. */
  constraint?: Constraint;
  signal?: AbortSignal;
  /** Told before the prompt runs how many of its rows the cache has already. */
  onPrefill?: (cachedRows: number) => void;
}

/** The next token, being computed. */
interface Pending {
  sampled: Sampled;
  fence: Fence;
}

/**
 * Generates tokens, one by one, until `maxTokens`, the context's end, the end of what the constraint allows, an abort, or the caller leaves.
 * The step after a token is dispatched before the token is read, so the device never waits for JavaScript; where the token decides how the
 * next one is drawn, all of that step but the draw.
 *
 * Afterwards the session holds the prompt and the yielded tokens whose rows have been computed: all but perhaps the last.
 * @throws DeskhandError `context_length_exceeded` before any work, `cancelled` within one step of an abort.
 */
export async function* generateTokens(model: Architecture, prompt: Prompt, session: Session, { sampling, constraint, signal, onPrefill }: GenerateTokensOptions): AsyncGenerator<TokenChoice, void> {
  using sampler = new Sampler(sampling, { prompt: prompt.tokenIds, constraint });
  const promptLength = prompt.tokenIds.length;
  checkLength(promptLength, model.contextLength);
  throwIfAborted(signal);
  const budget = Math.min(sampling.maxTokens, model.contextLength - promptLength);
  const ids = [...prompt.tokenIds];
  let pending: Pending | undefined;
  let next: Pending | undefined;
  /** Logits that wait for the token before them. */
  let forward: { logits: Tensor; fence: Fence } | undefined;
  const sampled = (from: Tensor): Pending => {
    using _ = from;
    return dispatch(() => sampler.sample(from));
  };
  try {
    pending = sampled(await prefill(model, prompt, session, { signal, onPrefill }));
    const { next: firstPosition } = model.plan(prompt);
    for (let step = 0; pending !== undefined; step++) {
      const current: Pending = pending;
      const { token } = current.sampled;
      const crosses = promptLength + step === model.lengthBorder;
      if (step + 1 < budget && !crosses) {
        const run = (): Tensor => squeeze(model.logits(model.decode({ embeddings: model.embed(token), rotary: { offset: firstPosition + step } }, session.caches)), 1);
        if (sampler.needsRead) {
          const logits = scope(run);
          forward = { logits, fence: asyncEval(logits) };
        } else next = dispatch(() => sampler.sample(run(), token));
      }
      await waitFor(current.fence);
      throwIfAborted(signal);
      const choice = readSampled(current.sampled);
      dispose(current);
      pending = next;
      next = undefined;
      await sampler.accept(choice.id);
      if (forward !== undefined) {
        pending = sampled(forward.logits);
        forward.fence.dispose();
        forward = undefined;
      }
      ids.push(choice.id);
      // The step that has been dispatched already computes this token's row.
      if (pending !== undefined) session.append([choice.id]);
      yield choice;
      throwIfAborted(signal);
      if (sampler.ended) return;
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
      dispose(left);
    }
    if (forward !== undefined) {
      await waitFor(forward.fence).catch(() => undefined);
      disposeAll(Object.values(forward));
    }
    session.settle();
  }
}

function dispatch(step: () => Sampled): Pending {
  const sampled = scope(step);
  return { sampled, fence: asyncEval(...tensorsOf(sampled)) };
}

function dispose({ sampled, fence }: Pending): void {
  disposeAll([...tensorsOf(sampled), fence]);
}

function checkLength(promptLength: number, contextLength: number): void {
  if (promptLength === 0) throw new DeskhandError("invalid_argument", "Expected a prompt of at least one token but received an empty one.");
  if (promptLength >= contextLength) {
    throw new DeskhandError("context_length_exceeded", `Expected a prompt shorter than this model's context of ${contextLength} tokens but received ${promptLength}. Shorten the conversation, or send fewer or smaller pictures.`, { param: "messages" });
  }
}
