import { homedir } from "node:os";
import { join } from "node:path";
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
  /** Most bytes on the disk of what the prefix cache in memory let go of, over all models that use the folder; 0 keeps nothing there. */
  prefixCacheDiskBytes: number;
  /** The folder of that. It is this user's alone: it holds what models remember of conversations. */
  prefixCacheDir: string;
}

export const DEFAULT_MODEL_LIMITS: Readonly<ModelLimits> = {
  maxConcurrent: 16,
  maxMemoryBytes: Math.floor(0.9 * memoryBytes()),
  prefixCacheBytes: Math.floor(memoryBytes() / 8),
  featureCacheBytes: Math.floor(memoryBytes() / 64),
  prefixCacheDiskBytes: 0,
  prefixCacheDir: join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "deskhand", "prefixes"),
};

/** Of limits, those of one model. */
export function modelLimitsOf(limits: ModelLimits): ModelLimits {
  const { maxConcurrent, maxMemoryBytes, prefixCacheBytes, featureCacheBytes, prefixCacheDiskBytes, prefixCacheDir } = limits;
  return { maxConcurrent, maxMemoryBytes, prefixCacheBytes, featureCacheBytes, prefixCacheDiskBytes, prefixCacheDir };
}

/** The limits given, and the defaults for those that are not. */
export function modelLimits(given: Partial<ModelLimits>): ModelLimits {
  return { ...DEFAULT_MODEL_LIMITS, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}
