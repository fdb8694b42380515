/** Generations that one model runs at once; further ones wait their turn. */
export const DEFAULT_MAX_CONCURRENT = 16;
