import { memoryBytes } from "../core/memory.js";

/** Generations that one model runs at once; further ones wait their turn. */
export const DEFAULT_MAX_CONCURRENT = 16;

/** Bytes that one model keeps of what it has read, for prompts that begin as earlier ones did. */
export const DEFAULT_PREFIX_CACHE_BYTES = Math.floor(memoryBytes() / 8);

/** Bytes that one model keeps of what its encoder made of pictures. */
export const DEFAULT_FEATURE_CACHE_BYTES = Math.floor(memoryBytes() / 64);
