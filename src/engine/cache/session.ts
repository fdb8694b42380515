import { disposeModules } from "../nn/module.js";
import type { Prompt } from "../generate/prompt.js";
import type { KVCache } from "./kv-cache.js";

/**
 * The KV cache of one conversation and what is in it. A new prompt continues from it when everything cached is the beginning of
 * the prompt: the same tokens, and pictures of the same content in the same places.
 */
export class Session implements Disposable {
  readonly caches: KVCache[];
  #tokenIds: number[] = [];
  #images: { start: number; key: string }[] = [];

  constructor(caches: KVCache[]) {
    this.caches = caches;
  }

  /** Prepares for a prompt and returns how many of its rows are cached already: always fewer than the prompt has. */
  begin(prompt: Prompt): number {
    if (!this.#isPrefixOf(prompt)) this.clear();
    // The last row has to run again for its logits when the whole prompt is cached.
    this.trim(Math.min(this.#tokenIds.length, prompt.tokenIds.length - 1));
    this.#images = prompt.images.map(({ start, key }) => ({ start, key }));
    return this.#tokenIds.length;
  }

  /** Records rows that have been added to the caches. */
  append(tokenIds: readonly number[]): void {
    for (const id of tokenIds) this.#tokenIds.push(id);
  }

  /** Forgets what lies beyond `length` rows, in the record and in the caches. */
  trim(length: number): void {
    this.#tokenIds.length = Math.min(length, this.#tokenIds.length);
    for (const cache of this.caches) cache.trim(Math.min(this.#tokenIds.length, cache.length));
  }

  clear(): void {
    disposeModules(this.caches);
    this.#tokenIds = [];
    this.#images = [];
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #isPrefixOf({ tokenIds, images }: Prompt): boolean {
    const cached = this.#tokenIds;
    if (cached.length > tokenIds.length || cached.some((id, i) => id !== tokenIds[i])) return false;
    const within = (image: { start: number }): boolean => image.start < cached.length;
    const mine = this.#images.filter(within);
    const theirs = images.filter(within);
    return mine.length === theirs.length && mine.every(({ start, key }, i) => start === theirs[i]?.start && key === theirs[i]?.key);
  }
}
