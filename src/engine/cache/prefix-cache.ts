import { asyncEval, scope, slice } from "../mlx/index.js";
import type { Architecture, Prompt } from "../models/architecture.js";
import { marksOf } from "./marks.js";
import { KVCache, type KeyValueRows } from "./kv-cache.js";
import { copied, endingAt, grow, match, PrefixNode } from "./prefix-tree.js";
import { Session, type Snapshot } from "./session.js";

/** Snapshots along one sequence: the first, where many sequences part, and the latest. */
const SNAPSHOTS_MAX = 8;

export interface PrefixCacheOptions {
  /** Most bytes kept for prompts to come; what is running is not counted. */
  maxBytes: number;
  /** Tokens that begin a message, or a part of one. */
  borderTokens?: ReadonlySet<number>;
}

/**
 * What sequences were remembered with, as a tree of the rows they share: by tokens, and by the content and settings of the pictures among
 * them. A prompt continues from the longest beginning that is there. A sequence that is over stays as it is, and one that goes on from
 * its end takes it over without a copy; any other beginning is copied. Beyond the bound the sequence that was used least lately goes, or
 * leaves only the rows behind that no other one has.
 */
export class PrefixCache implements Disposable {
  readonly #model: Architecture;
  readonly #maxBytes: number;
  readonly #borderTokens: ReadonlySet<number>;
  /** Whether each layer is one that cannot go back. */
  readonly #isState: readonly boolean[];
  /** Of sequences within the model's `lengthBorder`, and of those beyond it. */
  readonly #roots = { short: new PrefixNode(undefined, 0, { tokenIds: [], media: [] }), long: new PrefixNode(undefined, 0, { tokenIds: [], media: [] }) };
  readonly #ends = new Map<Session, PrefixNode>();
  /** Sessions that generations work with. */
  readonly #busy = new Set<Session>();
  #clock = 0;

  constructor(model: Architecture, { maxBytes, borderTokens = new Set() }: PrefixCacheOptions) {
    this.#model = model;
    this.#maxBytes = maxBytes;
    this.#borderTokens = borderTokens;
    this.#isState = model.createCache().map(({ isState }) => isState);
  }

  /** Bytes kept for prompts to come. */
  get bytes(): number {
    return this.#idle().reduce((sum, { session }) => sum + bytesOf(session!), 0) + this.#nodes().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The rows of a prompt where `Session.mark` is to be called: none, where all layers can go back to any row. */
  marksOf(prompt: Prompt): number[] {
    return this.#keepsAll ? [] : marksOf(prompt, this.#borderTokens, SNAPSHOTS_MAX);
  }

  /** A session that holds as many of the prompt's rows as are cached: always fewer than the prompt has. */
  open(prompt: Prompt): Session {
    const session = this.#continuing(prompt) ?? new Session(this.#model.createCache());
    session.begin(prompt, this.#model);
    this.#busy.add(session);
    return session;
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
    const end = this.#ends.get(session);
    if (end === undefined || end.end !== session.length) {
      if (end !== undefined) this.#leave(end, session);
      session[Symbol.dispose]();
    }
    this.shrink(this.#maxBytes);
  }

  /** Lets go of what was used least lately until no more than this is kept. */
  shrink(maxBytes: number): void {
    while (this.bytes > maxBytes) {
      const leaves = this.#nodes().filter((node) => node.children.length === 0 && node.session === undefined);
      const [oldest] = [...this.#idle(), ...leaves].sort((a, b) => a.usedAt - b.usedAt);
      if (oldest === undefined) return;
      if (oldest.session === undefined) oldest.remove();
      else this.#reduce(oldest, oldest.session);
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
    const { lengthBorder = Infinity } = this.#model;
    const isLong = prompt.tokenIds.length > lengthBorder;
    const { path, end } = match(isLong ? this.#roots.long : this.#roots.short, prompt);
    const last = path.at(-1);
    if (last === undefined) return undefined;
    for (const node of path) node.usedAt = ++this.#clock;
    // The last row has to run again for its logits.
    const limit = Math.min(end, prompt.tokenIds.length - 1);
    const { source } = last;
    const copied = (source?.canTrim(limit) ?? this.#keepsAll) ? limit : 0;
    const finished = path.findLast((node) => node.end <= limit && node.session !== undefined && !this.#busy.has(node.session));
    const marked = path.findLast((node) => node.end <= limit && node.snapshot !== undefined);
    const longest = Math.max(copied, finished?.end ?? 0, marked?.end ?? 0);
    if (longest === 0) return undefined;
    if (finished?.end === longest) return finished.session;
    if (copied === longest) return this.#copy(prompt, path, { length: longest, isLong, state: source });
    return this.#copy(prompt, marked!.path, { length: longest, isLong, state: marked!.snapshot });
  }

  get #keepsAll(): boolean {
    return !this.#isState.includes(true);
  }

  /** A session of its own with the first rows of a path; the layers that cannot go back from what is told. */
  #copy(prompt: Prompt, path: readonly PrefixNode[], { length, isLong, state }: { length: number; isLong: boolean; state: Session | Snapshot | undefined }): Session {
    const rows = (layer: number): KeyValueRows[] => path.flatMap((node) => (node.start < length ? [rowsOf(node, layer, Math.min(node.end, length))] : []));
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
    if (isMostlyShared && !this.#keepsAll && end.snapshot === undefined) {
      end.snapshot = session.snapshot();
      asyncEval(...end.snapshot.caches.flatMap((cache) => cache?.tensors() ?? [])).dispose();
    }
    const needed = alone.filter((node) => isMostlyShared || node.children.some((child) => !alone.includes(child)));
    const reaches = Math.max(0, ...needed.map((node) => node.end));
    for (const node of alone) if (node.end <= reaches) node.own = scope(() => copied(layersOf(session), node.start, node.end));
    this.#leave(end, session);
    session[Symbol.dispose]();
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
    const below = (node: PrefixNode): PrefixNode[] => [node, ...node.children.flatMap(below)];
    return Object.values(this.#roots).flatMap((root) => root.children.flatMap(below));
  }
}

function bytesOf(session: Session): number {
  return session.caches.flatMap((cache) => cache.tensors()).reduce((sum, { nbytes }) => sum + nbytes, 0);
}

function layersOf(session: Session): (KeyValueRows | undefined)[] {
  return session.caches.map((cache) => (cache instanceof KVCache ? cache.rows(0, session.length) : undefined));
}

/** A node's rows up to one of them. */
function rowsOf(node: PrefixNode, layer: number, end: number): KeyValueRows {
  const own = node.own?.[layer];
  if (own === undefined) return (node.source!.caches[layer] as KVCache).rows(node.start, end);
  const count = end - node.start;
  return { keys: slice(own.keys, 2, 0, count), values: slice(own.values, 2, 0, count) };
}

/** Whether no other session runs through the node. */
function isOnlySource(node: PrefixNode, session: Session): boolean {
  if (node.session !== undefined && node.session !== session) return false;
  return node.children.every((child) => isOnlySource(child, session));
}
