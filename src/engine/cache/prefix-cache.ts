import { throwIfAborted } from "../../core/errors.js";
import { asyncEval, scope, untracked } from "../mlx/index.js";
import type { Architecture, Prompt } from "../models/architecture.js";
import { marksOf } from "./marks.js";
import { KVCache } from "./kv-cache.js";
import { beginning, WORTH_KEEPING, type PrefixDisk, type SavedPrefix } from "./prefix-disk.js";
import { bytesOf, copyOf, isOnlySource, layersOf, rowsAlong, rowsOf } from "./prefix-rows.js";
import { copied, endingAt, grow, match, PrefixNode, withAllBelow } from "./prefix-tree.js";
import { Session, type Snapshot } from "./session.js";

/** Snapshots along one sequence: the first, where many sequences part, and the latest. */
const SNAPSHOTS_MAX = 8;

/** How long what is kept may be written when a model is let go: whoever stops an engine does not wait much longer. */
const PERSIST_TIMEOUT_MS = 3_000;
/** Of the bound in memory, what may wait to be written. */
const PENDING_PART = 4;

export interface PrefixCacheOptions {
  /** Most bytes kept for prompts to come; what is running is not counted. */
  maxBytes: number;
  /** Tokens that begin a message, or a part of one. */
  borderTokens?: ReadonlySet<number>;
  /** Where what leaves memory goes, and prompts find it again. */
  disk?: PrefixDisk;
}

/**
 * What sequences were remembered with, as a tree of the rows they share: by tokens, and by the content and settings of the pictures among them. A
 * prompt continues from the longest beginning that is there. A sequence that is over stays as it is, and one that goes on from its end takes it over
 * without a copy; one that goes on from near it does too, and leaves a copy of what lies behind. Any other beginning is copied. Beyond the bound the
 * sequence used least lately goes, or leaves only the rows behind that no other one has; to the disk, where there is one for it.
 */
export class PrefixCache implements Disposable {
  readonly #model: Architecture;
  readonly #maxBytes: number;
  readonly #borderTokens: ReadonlySet<number>;
  readonly #disk: PrefixDisk | undefined;
  /** Whether each layer is one that cannot go back, and whether none is. */
  readonly #isState: readonly boolean[];
  readonly #keepsAll: boolean;
  /** Of sequences within the model's `lengthBorder`, and of those beyond it. */
  readonly #roots = { short: new PrefixNode(undefined, 0, { tokenIds: [], media: [] }), long: new PrefixNode(undefined, 0, { tokenIds: [], media: [] }) };
  readonly #ends = new Map<Session, PrefixNode>();
  /** Sessions that generations work with. */
  readonly #busy = new Set<Session>();
  #clock = 0;

  constructor(model: Architecture, { maxBytes, borderTokens = new Set(), disk }: PrefixCacheOptions) {
    this.#model = model;
    this.#maxBytes = maxBytes;
    this.#borderTokens = borderTokens;
    this.#disk = disk;
    this.#isState = model.createCache().map(({ isState }) => isState);
    this.#keepsAll = !this.#isState.includes(true);
  }

  /** Bytes kept for prompts to come. */
  get bytes(): number {
    return this.#idle().reduce((sum, { session }) => sum + bytesOf(session!), 0) + this.#nodes().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The rows of a prompt where `Session.mark` is to be called: none, where all layers can go back to any row. */
  marksOf(prompt: Prompt): number[] {
    return this.#keepsAll ? [] : marksOf(prompt, this.#borderTokens, SNAPSHOTS_MAX);
  }

  /**
   * A session that holds as many of the prompt's rows as are cached: always fewer than the prompt has.
   * @param restored what `restore` returned for it.
   */
  open(prompt: Prompt, restored?: Session): Session {
    if (restored !== undefined) this.#busy.delete(restored);
    const session = this.#continuing(prompt) ?? new Session(this.#model.createCache());
    session.begin(prompt, this.#model);
    this.#busy.add(session);
    return session;
  }

  /** What the disk has of a prompt beyond what memory has, where that is worth reading. */
  onDisk(prompt: Prompt): SavedPrefix | undefined {
    const saved = this.#disk?.find(prompt, this.#isLong(prompt), prompt.tokenIds.length - 1);
    return saved !== undefined && saved.length - this.#best(prompt).length >= WORTH_KEEPING ? saved : undefined;
  }

  /** Reads what `onDisk` found into a session that is kept for `open` (or `abandon`). @throws `cancelled` */
  async restore(prompt: Prompt, saved: SavedPrefix, signal?: AbortSignal): Promise<Session | undefined> {
    const caches = await this.#disk?.load(saved, signal);
    if (caches === undefined) return undefined;
    const session = Session.holding(prompt, saved.length, this.#isLong(prompt), caches);
    this.#busy.add(session);
    // Another one may have computed as much meanwhile.
    if (!signal?.aborted && this.#best(prompt).length < saved.length) this.share(session);
    if (this.#ends.has(session)) return session;
    this.#busy.delete(session);
    session[Symbol.dispose]();
    throwIfAborted(signal);
    return undefined;
  }

  /** Takes a restored session back that is not wanted any more. */
  abandon(restored: Session): void {
    this.#busy.delete(restored);
    this.#keepWithin(this.#maxBytes);
  }

  /** Lets others share the rows that a session holds by now, while it goes on. */
  share(session: Session): void {
    const root = session.isLong ? this.#roots.long : this.#roots.short;
    const before = this.#ends.get(session);
    const end = grow(root, session);
    this.#keepSnapshots(end, session.takeSnapshots());
    for (const node of end.path) node.usedAt = ++this.#clock;
    const twin = end.session;
    // Of two that hold the same one is enough, and one that is running stays.
    if (end === before || (twin !== undefined && this.#busy.has(twin))) return;
    end.session = session;
    this.#ends.set(session, end);
    if (before !== undefined) before.session = undefined;
    if (twin === undefined) return;
    this.#ends.delete(twin);
    twin[Symbol.dispose]();
  }

  /** Takes a session back. */
  close(session: Session): void {
    this.#busy.delete(session);
    if (session.length > 0) this.share(session);
    if (this.#ends.get(session)?.end !== session.length) this.discard(session);
    this.#keepWithin(this.#maxBytes);
  }

  /** Takes a session back of which nobody knows what it holds. */
  discard(session: Session): void {
    this.#busy.delete(session);
    const end = this.#ends.get(session);
    if (end !== undefined) this.#leave(end, session);
    session[Symbol.dispose]();
  }

  /** Makes room: no more than this is kept, what waits to be written included. */
  shrink(maxBytes: number): void {
    this.#keepWithin(maxBytes);
    this.#disk?.release(Math.max(0, maxBytes - this.bytes));
  }

  /** Writes what is kept, the latest first, for a moment at most. To be called when nothing is under way any more. */
  async persist(signal = AbortSignal.timeout(PERSIST_TIMEOUT_MS)): Promise<void> {
    for (const node of this.#idle().sort((a, b) => b.usedAt - a.usedAt)) {
      if (this.#disk === undefined || signal.aborted) break;
      this.#save(node, node.session);
      await this.#disk.settled(signal);
    }
    await this.#disk?.settled(signal);
  }

  /** Lets go of what was used least lately until no more than this is kept. */
  #keepWithin(maxBytes: number): void {
    while (this.bytes > maxBytes) {
      const leaves = this.#nodes().filter((node) => node.children.length === 0 && node.session === undefined);
      const [oldest] = [...this.#idle(), ...leaves].sort((a, b) => a.usedAt - b.usedAt);
      if (oldest === undefined) return;
      if (oldest.session === undefined) {
        this.#save(oldest);
        oldest.remove();
      } else this.#reduce(oldest, oldest.session);
    }
  }

  [Symbol.dispose](): void {
    for (const session of this.#ends.keys()) session[Symbol.dispose]();
    this.#ends.clear();
    for (const root of Object.values(this.#roots)) {
      root.free();
      root.children.length = 0;
    }
  }

  #continuing(prompt: Prompt): Session | undefined {
    const { length, path, finished, state } = this.#best(prompt);
    for (const node of path) node.usedAt = ++this.#clock;
    if (length === 0) return undefined;
    return finished ?? this.#cutBack(path.at(-1)!, length) ?? this.#copy(prompt, path, { length, isLong: this.#isLong(prompt), state });
  }

  /**
   * A session that is over and goes on from a node, cut back to `length` rows where that leaves more than it takes away: an agent's next
   * prompt has the answer in other words (without its thinking, say), and the history before it need not move for that.
   */
  #cutBack(node: PrefixNode, length: number): Session | undefined {
    const over = node.sessions.filter((one) => !this.#busy.has(one) && one.length < 2 * length && one.canTrim(length));
    const session = over.sort((a, b) => a.length - b.length)[0];
    if (session === undefined || (node.end === length && node.session !== undefined)) return undefined;
    const end = this.#ends.get(session)!;
    const kept = endingAt(node, length);
    this.#remember(end, session);
    for (const left of end.path) {
      if (left.start >= length && left.own === undefined && isOnlySource(left, session)) left.own = scope(() => copied(layersOf(session), left.start, left.end));
    }
    end.session = undefined;
    kept.session = session;
    this.#ends.set(session, kept);
    session.trim(length);
    return session;
  }

  /** The most rows of a prompt that a session can begin with: a finished one that ends there, or the nodes and the state to copy from. */
  #best(prompt: Prompt): { length: number; path: PrefixNode[]; finished?: Session; state?: Session | Snapshot } {
    const { path, end } = match(this.#isLong(prompt) ? this.#roots.long : this.#roots.short, prompt);
    // The last row has to run again for its logits.
    const limit = Math.min(end, prompt.tokenIds.length - 1);
    const source = path.at(-1)?.source;
    const copied = path.length > 0 && (source?.canTrim(limit) ?? this.#keepsAll) ? limit : 0;
    const finished = path.findLast((node) => node.end <= limit && node.session !== undefined && !this.#busy.has(node.session));
    const marked = path.findLast((node) => node.end <= limit && node.snapshot !== undefined);
    const length = Math.max(copied, finished?.end ?? 0, marked?.end ?? 0);
    if (finished?.end === length) return { length, path, finished: finished.session };
    return copied === length ? { length, path, state: source } : { length, path: path.slice(0, path.indexOf(marked!) + 1), state: marked!.snapshot };
  }

  #isLong(prompt: Prompt): boolean {
    return prompt.tokenIds.length > (this.#model.lengthBorder ?? Infinity);
  }

  /** A session of its own with the first rows of a path; the layers that cannot go back from what is told. */
  #copy(prompt: Prompt, path: readonly PrefixNode[], { length, isLong, state }: { length: number; isLong: boolean; state: Session | Snapshot | undefined }): Session {
    const rows = rowsAlong(path, length);
    const caches = scope(() => this.#isState.map((isState, layer) => (isState ? state!.caches[layer]!.fork(length) : KVCache.of(rows(layer)))));
    asyncEval(...caches.flatMap((cache) => cache.tensors())).dispose();
    return Session.holding(prompt, length, isLong, caches);
  }

  #keepSnapshots(end: PrefixNode, snapshots: readonly Snapshot[]): void {
    for (const snapshot of snapshots) {
      const node = endingAt(end, snapshot.length);
      if (node.snapshot === undefined) node.snapshot = snapshot;
      else snapshot[Symbol.dispose]();
    }
    const marked = end.path.filter((node) => node.snapshot !== undefined);
    for (const node of marked.slice(1, 1 + Math.max(0, marked.length - SNAPSHOTS_MAX))) {
      node.snapshot?.[Symbol.dispose]();
      node.snapshot = undefined;
    }
  }

  /** A session goes: its rows stay where others build on them, and all of them where most are shared anyway. */
  #reduce(end: PrefixNode, session: Session): void {
    const alone = end.path.filter((node) => node.own === undefined && isOnlySource(node, session));
    const isMostlyShared = 2 * alone.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0) < session.length;
    if (isMostlyShared) this.#remember(end, session);
    else this.#save(end, session);
    const needed = alone.filter((node) => isMostlyShared || node.children.some((child) => !alone.includes(child)));
    const reaches = Math.max(0, ...needed.map((node) => node.end));
    for (const node of alone) if (node.end <= reaches) node.own = scope(() => copied(layersOf(session), node.start, node.end));
    this.#leave(end, session);
    session[Symbol.dispose]();
  }

  /** Has a node keep what a session's layers that cannot go back remember at its end. */
  #remember(end: PrefixNode, session: Session): void {
    if (this.#keepsAll || end.snapshot !== undefined) return;
    end.snapshot = session.snapshot();
    asyncEval(...end.snapshot.caches.flatMap((cache) => cache?.tensors() ?? [])).dispose();
  }

  /** Gives the rows up to a node's last to the disk, with what is remembered along the way and, by the session or the node, at the end. */
  #save(end: PrefixNode, session?: Session): void {
    const disk = this.#disk;
    // What comes faster than it is written is not kept: it takes memory until then.
    if (disk === undefined || end.end < WORTH_KEEPING || disk.pendingBytes > this.#maxBytes / PENDING_PART) return;
    const { path } = end;
    const along = path.flatMap(({ snapshot }) => (snapshot === undefined || (snapshot.length === end.end && session !== undefined) ? [] : [copyOf(snapshot)]));
    disk.save(
      beginning({
        rows: { tokenIds: path.flatMap(({ tokenIds }) => tokenIds), media: path.flatMap(({ media }) => media) },
        isLong: path[0]!.parent === this.#roots.long,
        borders: path.map((node) => node.end),
        layers: untracked(() => this.#isState.map((isState, layer) => (isState ? undefined : path.map((node) => rowsOf(node, layer, node.end))))),
        snapshots: this.#keepsAll ? [] : [...along, ...(session === undefined ? [] : [session.snapshot()])],
      }),
    );
  }

  /** The nodes go whose rows nothing holds any more. */
  #leave(end: PrefixNode, session: Session): void {
    this.#ends.delete(session);
    if (end.session === session) end.session = undefined;
    const orphan = end.path.find((node) => node.own === undefined && node.source === undefined);
    orphan?.remove();
  }

  #idle(): PrefixNode[] {
    return [...this.#ends].flatMap(([session, node]) => (this.#busy.has(session) ? [] : [node]));
  }

  #nodes(): PrefixNode[] {
    return Object.values(this.#roots).flatMap((root) => root.children.flatMap(withAllBelow));
  }
}
