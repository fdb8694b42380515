import { memoryBytes } from "../core/memory.js";

/** What one loaded model may take. */
export interface ModelLimits {
  /** Generations that run at once; further ones wait their turn. */
  maxConcurrent: number;
  /** Most bytes in live tensors: a prompt that does not fit is refused, and one that does not fit beside those that run waits. */
  maxMemoryBytes: number;
  /** Most bytes kept of what was read, for prompts that begin as earlier ones did; 0 keeps nothing. */
  prefixCacheBytes: number;
  /** Most bytes kept of what the encoder made of pictures; 0 keeps nothing. */
  featureCacheBytes: number;
}

export const DEFAULT_MODEL_LIMITS: Readonly<ModelLimits> = {
  maxConcurrent: 16,
  maxMemoryBytes: Math.floor(0.9 * memoryBytes()),
  prefixCacheBytes: Math.floor(memoryBytes() / 8),
  featureCacheBytes: Math.floor(memoryBytes() / 64),
};

/** The limits given, and the defaults for those that are not. */
export function modelLimits(given: Partial<ModelLimits>): ModelLimits {
  const limits = { ...DEFAULT_MODEL_LIMITS };
  for (const name of Object.keys(limits) as (keyof ModelLimits)[]) limits[name] = given[name] ?? limits[name];
  return limits;
}
