import type { FeatureCache } from "../cache/feature-cache.js";
import type { PrefixCache } from "../cache/prefix-cache.js";
import { clearCache, memoryUse } from "../mlx/index.js";
import type { Prompt } from "../models/architecture.js";
import type { MemoryPlan } from "./memory-plan.js";

/** What is kept from one sequence for others. */
export interface SchedulerCaches {
  /** Gives and takes back what sequences are remembered with. */
  prefixes: PrefixCache;
  features: FeatureCache;
}

/** What cannot be let go of. */
export interface MemoryHeld {
  weightBytes: number;
  runningBytes: number;
}

/** The memory that a model's sequences have, and that what is kept for later ones gives back to them. */
export class Room {
  readonly #plan: MemoryPlan;
  readonly #prefixes: PrefixCache;
  readonly #features: FeatureCache;

  constructor(plan: MemoryPlan, { prefixes, features }: SchedulerCaches) {
    this.#plan = plan;
    this.#prefixes = prefixes;
    this.#features = features;
  }

  /** @throws DeskhandError `out_of_memory` for a prompt that does not fit even alone. */
  require(prompt: Prompt): void {
    this.#plan.require(prompt);
  }

  /** What cannot be let go of while these run. */
  held(running: readonly Prompt[]): MemoryHeld {
    return { weightBytes: this.#plan.weightBytes, runningBytes: this.#plan.sum(running) };
  }

  /** Another bound from now on. */
  limit(maxBytes: number): void {
    this.#plan.maxBytes = maxBytes;
  }

  /** Whether a prompt fits beside those that run, which has been made sure of for it alone. If so, what is kept for later gives way to it. */
  admits(prompt: Prompt, running: readonly Prompt[]): boolean {
    const together = [...running, prompt];
    const fits = running.length === 0 || this.#plan.left(together) >= 0;
    if (fits) this.make(together);
    return fits;
  }

  /** What is kept for later gives way to those that run: pictures before prompts, which hold what was made of theirs. */
  make(running: readonly Prompt[]): void {
    const left = Math.max(0, this.#plan.left(running));
    this.#prefixes.shrink(left);
    this.#features.shrink(Math.max(0, left - this.#prefixes.bytes));
    // Buffers that MLX keeps for reuse are memory as well.
    const { activeBytes, cacheBytes } = memoryUse();
    if (activeBytes + cacheBytes > this.#plan.maxBytes) clearCache();
  }
}
