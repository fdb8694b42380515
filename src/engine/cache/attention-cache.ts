import { KVCache } from "./kv-cache.js";
import type { AttentionCache } from "./layer-cache.js";
import { RotatingKVCache } from "./rotating-kv-cache.js";

/** The cache of a layer whose rows see `window` rows, themselves included; `undefined`: all. */
export function attentionCache(window: number | undefined): AttentionCache {
  return window === undefined ? new KVCache() : new RotatingKVCache(window);
}
