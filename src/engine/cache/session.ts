import { disposeModules } from "../nn/module.js";
import type { Prompt } from "../models/architecture.js";
import { isStateCache, type LayerCache, type StateCache } from "./layer-cache.js";

/** A picture, video or sound in a sequence, by the row it begins at. Same key, same content and same processor settings. */
export interface PlacedMedia {
  start: number;
  key: string;
}

/** What layers that cannot go back remembered after a number of rows; `undefined` for the others. */
export interface Snapshot extends Disposable {
  readonly length: number;
  readonly caches: readonly (StateCache | undefined)[];
}

/**
 * The caches of one sequence and what is in it. A prompt continues from it when everything cached is the beginning of the prompt: the same
 * tokens, and pictures of the same content in the same places.
 */
export class Session implements Disposable {
  readonly caches: LayerCache[];
  #tokenIds: number[] = [];
  #media: PlacedMedia[] = [];
  #snapshots: Snapshot[] = [];
  /** Whether its rows are those of a prompt beyond the model's `lengthBorder`. */
  #isLong = false;

  constructor(caches: LayerCache[]) {
    this.caches = caches;
  }

  /** Rows of the sequence that are in the caches. */
  get length(): number {
    return this.#tokenIds.length;
  }

  get tokenIds(): readonly number[] {
    return this.#tokenIds;
  }

  get media(): readonly PlacedMedia[] {
    return this.#media.filter(({ start }) => start < this.length);
  }

  get isLong(): boolean {
    return this.#isLong;
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

  /** Records rows that have been added to the caches. */
  append(tokenIds: readonly number[]): void {
    for (const id of tokenIds) this.#tokenIds.push(id);
  }

  /** A session that begins with these rows; the caches hold them. */
  static holding(prompt: Prompt, length: number, isLong: boolean, caches: LayerCache[]): Session {
    const session = new Session(caches);
    session.append(prompt.tokenIds.slice(0, length));
    session.#media = prompt.media.map(({ start, key }) => ({ start, key }));
    session.#isLong = isLong;
    return session;
  }

  /** Whether it could go back to its first `length` rows. */
  canTrim(length: number): boolean {
    return length <= this.length && this.caches.every((cache) => cache.canTrim(length));
  }

  /** Keeps what the layers that cannot go back remember now, where there are such layers. */
  mark(): void {
    if (this.caches.some(({ isState }) => isState)) this.#snapshots.push(this.snapshot());
  }

  /** What the layers that cannot go back remember now; the caller's to dispose of. */
  snapshot(): Snapshot {
    const caches = this.caches.map((cache) => (isStateCache(cache) ? cache.fork(this.length) : undefined));
    return { length: this.length, caches, [Symbol.dispose]: () => disposeModules(caches) };
  }

  /** Hands over the snapshots taken since the last time. */
  takeSnapshots(): Snapshot[] {
    return this.#snapshots.splice(0);
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
    disposeModules(this.caches, this.takeSnapshots());
    this.#tokenIds = [];
    this.#media = [];
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #isPrefixOf({ tokenIds, media }: Prompt): boolean {
    const cached = this.#tokenIds;
    if (cached.length > tokenIds.length || cached.some((id, i) => id !== tokenIds[i])) return false;
    const mine = this.media;
    const theirs = media.filter(({ start }) => start < cached.length);
    return mine.length === theirs.length && mine.every(({ start, key }, i) => start === theirs[i]?.start && key === theirs[i]?.key);
  }
}
