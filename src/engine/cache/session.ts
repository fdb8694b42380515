import { disposeModules } from "../nn/module.js";
import type { Prompt } from "../models/architecture.js";
import type { LayerCache } from "./layer-cache.js";

/**
 * The caches of one conversation and what is in it. A new prompt continues from it when everything cached is the beginning of
 * the prompt: the same tokens, and pictures of the same content in the same places.
 */
export class Session implements Disposable {
  readonly caches: LayerCache[];
  #tokenIds: number[] = [];
  #media: { start: number; key: string }[] = [];
  /** Whether its rows are those of a prompt beyond the model's `lengthBorder`. */
  #isLong = false;

  constructor(caches: LayerCache[]) {
    this.caches = caches;
  }

  /**
   * Prepares for a prompt and returns how many of its rows are cached already: always fewer than the prompt has. None on the other side of
   * the model's `lengthBorder`, where they would not be what they are.
   */
  begin(prompt: Prompt, { lengthBorder = Infinity }: { lengthBorder?: number } = {}): number {
    const isLong = prompt.tokenIds.length > lengthBorder;
    if (isLong !== this.#isLong || !this.#isPrefixOf(prompt)) this.clear();
    this.#isLong = isLong;
    // The last row has to run again for its logits when the whole prompt is cached.
    this.trim(Math.min(this.#tokenIds.length, prompt.tokenIds.length - 1));
    this.#media = prompt.media.map(({ start, key }) => ({ start, key }));
    return this.#tokenIds.length;
  }

  /** Rows of the sequence that are in the caches. */
  get length(): number {
    return this.#tokenIds.length;
  }

  /** Records rows that have been added to the caches. */
  append(tokenIds: readonly number[]): void {
    for (const id of tokenIds) this.#tokenIds.push(id);
  }

  /** Forgets what lies beyond `length` rows, in the record and in the caches; everything, where a cache cannot go back. */
  trim(length: number): void {
    const kept = Math.min(length, this.#tokenIds.length);
    if (this.caches.some((cache) => cache.length > kept && !cache.canTrim(kept))) return this.clear();
    this.#tokenIds.length = kept;
    for (const cache of this.caches) if (cache.length > kept) cache.trim(kept);
  }

  /** Lets the caches hold what is recorded and nothing more: a step whose token nobody has seen is taken back. */
  settle(): void {
    this.trim(this.#tokenIds.length);
  }

  clear(): void {
    disposeModules(this.caches);
    this.#tokenIds = [];
    this.#media = [];
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #isPrefixOf({ tokenIds, media }: Prompt): boolean {
    const cached = this.#tokenIds;
    if (cached.length > tokenIds.length || cached.some((id, i) => id !== tokenIds[i])) return false;
    const within = (item: { start: number }): boolean => item.start < cached.length;
    const mine = this.#media.filter(within);
    const theirs = media.filter(within);
    return mine.length === theirs.length && mine.every(({ start, key }, i) => start === theirs[i]?.start && key === theirs[i]?.key);
  }
}
