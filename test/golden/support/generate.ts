import { FeatureCache } from "../../../src/engine/cache/feature-cache.js";
import { PrefixCache, type PrefixCacheOptions } from "../../../src/engine/cache/prefix-cache.js";
import type { Session } from "../../../src/engine/cache/session.js";
import { resolveOptions } from "../../../src/engine/generate/options.js";
import { Prefill } from "../../../src/engine/generate/prefill.js";
import { Sampler, type Constraint } from "../../../src/engine/generate/sampler.js";
import { Scheduler } from "../../../src/engine/generate/scheduler.js";
import type { SamplingOptions } from "../../../src/engine/inference.js";
import type { Tensor } from "../../../src/engine/mlx/index.js";
import type { Architecture, Prompt } from "../../../src/engine/models/architecture.js";

/** Runs a prompt's rows that the session does not hold yet: logits of the last, `[1, V]`. */
export async function prefill(model: Architecture, prompt: Prompt, session: Session, { chunk, onPrefill }: { chunk?: number; onPrefill?: (cachedRows: number) => void } = {}): Promise<Tensor> {
  const cached = session.begin(prompt, model);
  onPrefill?.(cached);
  using pieces = new Prefill(model, prompt, session);
  for (;;) {
    const logits = await pieces.step(chunk);
    if (logits !== undefined) return logits;
  }
}

export interface GenerateOptions extends SamplingOptions {
  constraint?: Constraint;
  signal?: AbortSignal;
  onPrefill?: (cachedRows: number) => void;
  onLogits?: (logits: Tensor) => void;
  /** Called with each token; `false` ends. */
  onToken?: (id: number) => unknown;
}

/** Tokens of a generation, greedy unless said otherwise; no token ends it by itself. */
export async function generate(scheduler: Scheduler, prompt: Prompt, { constraint, signal, onPrefill, onLogits, onToken, ...sampling }: GenerateOptions): Promise<number[]> {
  const options = resolveOptions({ temperature: 0, repetitionPenalty: 1, ...sampling }, {});
  const ids: number[] = [];
  using sampler = new Sampler(options, { prompt: prompt.tokenIds, constraint });
  await scheduler.run({
    prompt,
    sampler: {
      sample: (logits) => {
        onLogits?.(logits);
        return sampler.sample(logits);
      },
      accept: (id) => sampler.accept(id),
      get ended() {
        return sampler.ended;
      },
    },
    maxTokens: options.maxTokens,
    signal,
    onPrefill,
    onToken: ({ id }) => {
      ids.push(id);
      return onToken?.(id) !== false;
    },
  });
  return ids;
}

/** A scheduler with a cache of its own. */
export class TestScheduler implements Disposable {
  readonly scheduler: Scheduler;
  readonly cache: PrefixCache;
  readonly features: FeatureCache;

  constructor(model: Architecture, { maxBytes = 2 ** 30, borderTokens, featureBytes = 0, maxMemoryBytes, disk }: Partial<PrefixCacheOptions> & { featureBytes?: number; maxMemoryBytes?: number } = {}) {
    this.cache = new PrefixCache(model, { maxBytes, borderTokens, disk });
    this.features = new FeatureCache(featureBytes);
    this.scheduler = new Scheduler(model, { prefixes: this.cache, features: this.features, maxMemoryBytes });
  }

  generate(prompt: Prompt, options: GenerateOptions): Promise<number[]> {
    return generate(this.scheduler, prompt, options);
  }

  /** The tokens of a greedy generation, and the logits each was chosen by. */
  async logits(prompt: Prompt, options: GenerateOptions): Promise<{ ids: number[]; logits: number[][] }> {
    const logits: number[][] = [];
    const ids = await generate(this.scheduler, prompt, { ...options, onLogits: (row) => logits.push(row.toArray()) });
    return { ids, logits };
  }

  [Symbol.dispose](): void {
    this.cache[Symbol.dispose]();
    this.features[Symbol.dispose]();
  }
}
