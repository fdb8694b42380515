import { createHash } from "node:crypto";
import { isDeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";
import { createLogger } from "../../core/log.js";
import { disposeAll, evaluated, scope, slice, type Tensor } from "../mlx/index.js";
import { disposeModules } from "../nn/module.js";
import { CacheFolder, OWN_NAME } from "./cache-folder.js";
import { KVCache, type KeyValueRows } from "./kv-cache.js";
import { isStateCache, type LayerCache } from "./layer-cache.js";
import { beginningDigests } from "./prefix-digest.js";
import { readStretch, readStretchInfo, sizeOf, writeStretch, type Stretch, type StretchInfo } from "./prefix-file.js";
import { tensorsOf, type Rows } from "./prefix-tree.js";
import type { Snapshot } from "./session.js";

/** Prompts that part from a sequence where none has yet find what it has up to the last multiple of this. */
const BORDER_EVERY = 64;
/** Fewer rows than this are computed sooner than kept. */
export const WORTH_KEEPING = 64;

/** What rows depend on besides tokens and media. */
export interface ModelIdentity {
  /** The model, and how it is loaded. */
  name: string;
  /** Its weights and whatever computes with them: what was kept by another one is of no use. */
  fingerprint: string;
}

export interface PrefixDiskOptions {
  dir: string;
  maxBytes: number;
  model: ModelIdentity;
  /** Caches as the model makes them. */
  createCache: () => LayerCache[];
}

/** A sequence that leaves memory; whoever is given it disposes of it. */
export interface Beginning extends Disposable {
  rows: Rows;
  isLong: boolean;
  /** Where others parted from it, or may well do so. */
  borders: readonly number[];
  /** All rows, layer by layer, in pieces; `undefined` for layers that cannot go back. */
  layers: readonly (readonly KeyValueRows[] | undefined)[];
  /** Of those layers, in ascending order. */
  snapshots: readonly Snapshot[];
}

/** The beginning of a sequence on the disk. */
export interface SavedPrefix {
  /** How many rows of the sequence asked for it has. */
  length: number;
  /** The files that hold them, the first rows first. */
  chain: readonly { file: SavedFile; end: number }[];
}

interface SavedFile extends StretchInfo {
  name: string;
}

const log = createLogger("prefix-cache");

/**
 * What left the prefix cache in memory, on the disk: each file holds a stretch of a sequence and names the digest of what comes before it, so
 * that sequences share the files of what they have in common. Files are found by digests of beginnings; the conversation cannot be read from those.
 */
export class PrefixDisk {
  readonly #folder: CacheFolder;
  readonly #model: ModelIdentity;
  readonly #createCache: () => LayerCache[];
  readonly #isState: readonly boolean[];
  readonly #files = new Map<string, SavedFile>();
  /** The files that have a border with this digest. */
  readonly #byDigest = new Map<string, Set<SavedFile>>();
  #borderRows: number[] | undefined;
  /** To be written, in order. */
  #waiting: Beginning[] = [];
  #writing: Beginning | undefined;
  #idle: Promise<void> = Promise.resolve();
  #end: AbortSignal | undefined;

  private constructor(folder: CacheFolder, { model, createCache }: PrefixDiskOptions) {
    this.#folder = folder;
    this.#model = { name: shortDigest(model.name), fingerprint: shortDigest(model.fingerprint) };
    this.#createCache = createCache;
    this.#isState = createCache().map(({ isState }) => isState);
    folder.onRemoved = (name) => this.#forget(name);
  }

  /** @throws DeskhandError `invalid_argument` for a folder that cannot be used. */
  static async open(options: PrefixDiskOptions): Promise<PrefixDisk> {
    const disk = new PrefixDisk(await CacheFolder.open(options.dir, options.maxBytes), options);
    for (const name of await disk.#folder.names()) await disk.#learn(name);
    return disk;
  }

  /** Bytes in memory that are to be written. */
  get pendingBytes(): number {
    return [...this.#waiting, ...(this.#writing === undefined ? [] : [this.#writing])].reduce((sum, beginning) => sum + bytesOf(beginning), 0);
  }

  /** The longest beginning of a sequence that is there, and no more than `most` rows of it. */
  find(rows: Rows, isLong: boolean, most = rows.tokenIds.length): SavedPrefix | undefined {
    const keepsAll = !this.#isState.includes(true);
    // Rows of layers that keep them all can be cut off; a state cannot.
    const ends = this.#rowsOfBorders().filter((row) => row <= (keepsAll ? rows.tokenIds.length : most));
    const digests = beginningDigests(rows, sideOf(isLong), ends);
    for (let i = ends.length - 1; i >= 0; i--) {
      const chain = this.#chainTo(digests[i]!, ends[i]!, keepsAll);
      if (chain !== undefined) return { length: Math.min(ends[i]!, most), chain };
    }
    return undefined;
  }

  /** Caches that hold the rows of a saved prefix; `undefined` where a file turned out to be of no use, and it is gone then. @throws `cancelled` */
  async load({ chain, length }: SavedPrefix, signal: AbortSignal | undefined): Promise<LayerCache[] | undefined> {
    const made: Tensor[] = [];
    try {
      const pieces: KeyValueRows[][] = this.#isState.map(() => []);
      let caches: LayerCache[] | undefined;
      for (const [i, { file, end }] of chain.entries()) {
        const isLast = i === chain.length - 1;
        const stretch = await this.#read(file, isLast ? end : undefined, signal);
        if (stretch === undefined) return undefined;
        made.push(...tensorsOf(stretch.rows));
        stretch.rows.forEach((rows, layer) => {
          if (rows === undefined) return;
          const part = cut(rows, Math.min(end, length) - file.start);
          made.push(part.keys, part.values);
          pieces[layer]!.push(part);
        });
        if (isLast) {
          caches = this.#createCache();
          caches.forEach((cache, layer) => isStateCache(cache) && cache.restore(stretch.states[layer]!));
        }
      }
      await this.#folder.touch(chain.map(({ file }) => file.name));
      const whole = caches!.map((cache, layer) => (isStateCache(cache) ? cache : KVCache.of(pieces[layer]!)));
      await evaluated(...whole.flatMap((cache) => cache.tensors()));
      return whole;
    } finally {
      disposeAll(made);
    }
  }

  /** Writes a beginning when it is its turn, as far as it is not there already. */
  save(beginning: Beginning): void {
    this.#waiting.push(beginning);
    if (this.#waiting.length === 1 && this.#writing === undefined) this.#idle = this.#writeAll();
  }

  /** Lets go of what waits to be written until no more than this is held in memory for it. */
  release(maxBytes: number): void {
    while (this.#waiting.length > 0 && this.pendingBytes > maxBytes) this.#waiting.shift()?.[Symbol.dispose]();
  }

  /** Resolves when everything is written, or after the signal has aborted, which ends writing for good. */
  async settled(signal?: AbortSignal): Promise<void> {
    this.#end = signal;
    await this.#idle;
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      using beginning = (this.#writing = this.#waiting.shift());
      if (beginning === undefined) return;
      // Nothing is lost but time: a prompt that begins so is computed anew.
      if (!this.#end?.aborted) await this.#write(beginning).catch((error: unknown) => isDeskhandError(error, "cancelled") || log.warn({ err: error }, "a prefix could not be written"));
      this.#writing = undefined;
    }
  }

  async #write({ rows, isLong, borders, layers, snapshots }: Beginning): Promise<void> {
    const known = this.find(rows, isLong);
    const start = known?.chain.at(-1)?.end ?? 0;
    const kept = snapshots.filter(({ length }) => length > start);
    const ends = this.#isState.includes(true) ? kept.map(({ length }) => length) : bordersOf(start, rows.tokenIds.length, borders);
    if ((ends.at(-1) ?? start) - start < WORTH_KEEPING) return;
    const [before, ...digests] = beginningDigests(rows, sideOf(isLong), [start, ...ends]);
    const stretch: Stretch = {
      start,
      before: start === 0 ? "" : before!,
      borders: ends.map((row, i) => [row, digests[i]!]),
      layers,
      snapshots: kept,
    };
    const names = known?.chain.map(({ file }) => file.name) ?? [];
    const name = `${OWN_NAME}${this.#model.name}-${this.#model.fingerprint}-${digests.at(-1)}.safetensors`;
    await this.#folder.touch(names);
    if (await this.#folder.write(name, sizeOf(stretch), (path) => writeStretch(path, this.#model.fingerprint, stretch, () => throwIfAborted(this.#end)))) {
      this.#add({ name, start, before: stretch.before, borders: stretch.borders, states: kept.map(({ length }) => ({ row: length, counters: [] })) });
      // What comes first is used by all that comes after, so it goes last.
      await this.#folder.touch([...names, name]);
    }
  }

  async #read(file: SavedFile, stateRow: number | undefined, signal: AbortSignal | undefined): Promise<Awaited<ReturnType<typeof readStretch>> | undefined> {
    try {
      return await readStretch(this.#folder.path(file.name), this.#model.fingerprint, { isState: this.#isState, stateRow, signal });
    } catch (error) {
      if (isDeskhandError(error, "cancelled")) throw error;
      await this.#folder.drop(file.name, messageOf(error));
      return undefined;
    }
  }

  /** Takes note of a file of this model; what is no use to it any more goes. */
  async #learn(name: string): Promise<void> {
    const own = `${OWN_NAME}${this.#model.name}-`;
    if (!name.startsWith(own)) return;
    if (!name.startsWith(`${own}${this.#model.fingerprint}-`)) return this.#folder.drop(name, "the model has changed since it was written");
    try {
      this.#add({ ...(await readStretchInfo(this.#folder.path(name), this.#model.fingerprint)), name });
    } catch (error) {
      await this.#folder.drop(name, messageOf(error));
    }
  }

  #add(file: SavedFile): void {
    this.#forget(file.name);
    this.#files.set(file.name, file);
    for (const [, digest] of file.borders) this.#byDigest.set(digest, (this.#byDigest.get(digest) ?? new Set()).add(file));
    this.#borderRows = undefined;
  }

  #forget(name: string): void {
    const file = this.#files.get(name);
    if (file === undefined) return;
    this.#files.delete(name);
    for (const [, digest] of file.borders) {
      const others = this.#byDigest.get(digest);
      others?.delete(file);
      if (others?.size === 0) this.#byDigest.delete(digest);
    }
    this.#borderRows = undefined;
  }

  #rowsOfBorders(): number[] {
    this.#borderRows ??= [...new Set([...this.#files.values()].flatMap(({ borders }) => borders.map(([row]) => row)))].sort((a, b) => a - b);
    return this.#borderRows;
  }

  /** Files that hold the rows up to a border, of which the digest is told. */
  #chainTo(digest: string, end: number, keepsAll: boolean): SavedPrefix["chain"] | undefined {
    for (const file of this.#byDigest.get(digest) ?? []) {
      if (!keepsAll && !file.states.some(({ row }) => row === end)) continue;
      const before = file.start === 0 ? [] : this.#chainTo(file.before, file.start, true);
      if (before !== undefined) return [...before, { file, end }];
    }
    return undefined;
  }
}

/** The first rows, as tensors of their own. */
function cut({ keys, values }: KeyValueRows, count: number): KeyValueRows {
  return scope(() => ({ keys: slice(keys, 2, 0, count), values: slice(values, 2, 0, count) }));
}

function bordersOf(start: number, end: number, further: readonly number[]): number[] {
  const rows = new Set([...further.filter((row) => row > start), end]);
  for (let row = start - (start % BORDER_EVERY) + BORDER_EVERY; row < end; row += BORDER_EVERY) rows.add(row);
  return [...rows].sort((a, b) => a - b);
}

function bytesOf({ layers, snapshots }: Beginning): number {
  const tensors = [...layers.flatMap((pieces = []) => tensorsOf(pieces)), ...snapshots.flatMap(({ caches }) => caches.flatMap((cache) => cache?.tensors() ?? []))];
  return tensors.reduce((sum, { nbytes }) => sum + nbytes, 0);
}

/** Rows of a prompt beyond the model's `lengthBorder` are others than those of one within it. */
function sideOf(isLong: boolean): string {
  return isLong ? "long" : "short";
}

function shortDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** A beginning that disposes of what it is made of. */
export function beginning(parts: Omit<Beginning, typeof Symbol.dispose>): Beginning {
  return {
    ...parts,
    [Symbol.dispose]() {
      disposeAll(parts.layers.flatMap((pieces = []) => tensorsOf(pieces)));
      disposeModules(...parts.snapshots);
    },
  };
}
