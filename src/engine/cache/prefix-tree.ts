import { asyncEval, contiguous, disposeAll, retain, slice, type Tensor } from "../mlx/index.js";
import type { KeyValueRows } from "./kv-cache.js";
import type { PlacedMedia, Session, Snapshot } from "./session.js";

/** Rows as a sequence's beginning: their tokens, and the media among them. */
export interface Rows {
  tokenIds: readonly number[];
  media: readonly PlacedMedia[];
}

/**
 * A stretch of rows that follows its parent's. Its keys and values are its own, or those of a session that runs through it: of one at this
 * node's end or at that of a node below.
 */
export class PrefixNode {
  parent: PrefixNode | undefined;
  readonly children: PrefixNode[] = [];
  start: number;
  tokenIds: readonly number[];
  /** Those that begin in this stretch. */
  media: readonly PlacedMedia[];
  /** What holds all rows from the first to this node's last. */
  session: Session | undefined;
  usedAt = 0;
  #own: (KeyValueRows | undefined)[] | undefined;
  #snapshot: Snapshot | undefined;
  #bytes = 0;

  constructor(parent: PrefixNode | undefined, start: number, { tokenIds, media }: Rows) {
    this.parent = parent;
    this.start = start;
    this.tokenIds = tokenIds;
    this.media = media;
  }

  /** Keys and values of the layers that keep all of them; `undefined` for the other layers. */
  get own(): (KeyValueRows | undefined)[] | undefined {
    return this.#own;
  }

  set own(layers: (KeyValueRows | undefined)[] | undefined) {
    this.#own = layers;
    this.#measure();
  }

  /** What the layers that cannot go back remember at the end. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  set snapshot(snapshot: Snapshot | undefined) {
    this.#snapshot = snapshot;
    this.#measure();
  }

  /** Of what is its own. */
  get bytes(): number {
    return this.#bytes;
  }

  get end(): number {
    return this.start + this.tokenIds.length;
  }

  /** The nodes from the first below the root to this one. */
  get path(): PrefixNode[] {
    return pathTo(this);
  }

  /** A session that runs through it. */
  get source(): Session | undefined {
    if (this.session !== undefined) return this.session;
    for (const child of this.children) {
      const { source } = child;
      if (source !== undefined) return source;
    }
    return undefined;
  }

  /** All sessions that run through it. */
  get sessions(): Session[] {
    const found: Session[] = [];
    const open: PrefixNode[] = [this];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.session !== undefined) found.push(node.session);
      open.push(...node.children);
    }
    return found;
  }

  /** Where the rows of a sequence part from this node's: the row after the last they share. */
  shared({ tokenIds, media }: Rows): number {
    const limit = Math.min(this.end, tokenIds.length);
    let row = this.start;
    while (row < limit && tokenIds[row] === this.tokenIds[row - this.start]) row++;
    // The same tokens stand for pictures of one size, whatever they show.
    const theirs = media.filter(({ start }) => start >= this.start && start < row);
    const mine = this.media.filter(({ start }) => start < row);
    for (let i = 0; i < Math.max(mine.length, theirs.length); i++) {
      const [a, b] = [mine[i], theirs[i]];
      if (a === undefined || b === undefined || a.start !== b.start || a.key !== b.key) return Math.min(a?.start ?? Infinity, b?.start ?? Infinity);
    }
    return row;
  }

  /** The child that goes on with most of these rows, and where they part. */
  follow(rows: Rows): { child: PrefixNode; end: number } | undefined {
    let best: { child: PrefixNode; end: number } | undefined;
    for (const child of this.children) {
      const end = child.shared(rows);
      if (end > Math.max(this.end, best?.end ?? 0)) best = { child, end };
    }
    return best;
  }

  /** Parts it in two at a row: a new node that ends there, and this one behind it. */
  split(row: number): PrefixNode {
    const { parent, start } = this;
    const at = row - start;
    const upper = new PrefixNode(parent, start, { tokenIds: this.tokenIds.slice(0, at), media: this.media.filter((one) => one.start < row) });
    upper.usedAt = this.usedAt;
    parent!.children.splice(parent!.children.indexOf(this), 1, upper);
    upper.children.push(this);
    this.parent = upper;
    this.start = row;
    this.tokenIds = this.tokenIds.slice(at);
    this.media = this.media.filter((one) => one.start >= row);
    if (this.own !== undefined) {
      const all = this.own;
      upper.own = copied(all, 0, at);
      this.own = copied(all, at);
      disposeAll(tensorsOf(all));
    }
    return upper;
  }

  /** Takes it out of the tree with all that is below it. */
  remove(): void {
    const siblings = this.parent?.children;
    siblings?.splice(siblings.indexOf(this), 1);
    this.parent = undefined;
    this.free();
  }

  /** Frees what it and all below it keep, but for their sessions. */
  free(): void {
    for (const child of this.children) child.free();
    if (this.#own !== undefined) disposeAll(tensorsOf(this.#own));
    this.#snapshot?.[Symbol.dispose]();
    this.#own = this.#snapshot = undefined;
    this.#bytes = 0;
  }

  #measure(): void {
    const own = tensorsOf(this.#own ?? []);
    const state = this.#snapshot?.caches.flatMap((cache) => cache?.tensors() ?? []) ?? [];
    this.#bytes = [...own, ...state].reduce((sum, { nbytes }) => sum + nbytes, 0);
  }
}

function pathTo(end: PrefixNode): PrefixNode[] {
  const path: PrefixNode[] = [];
  for (let node = end; node.parent !== undefined; node = node.parent) path.push(node);
  return path.reverse();
}

/** How many rows two sequences begin with alike. */
export function rowsInCommon(a: Rows, b: Rows): number {
  return new PrefixNode(undefined, 0, a).shared(b);
}

/** The nodes that hold the beginning of a sequence, the last perhaps in part, and how many rows that is. */
export function match(root: PrefixNode, rows: Rows): { path: PrefixNode[]; end: number } {
  const path: PrefixNode[] = [];
  let node = root;
  for (let end = 0; ; ) {
    const next = node.follow(rows);
    if (next === undefined) return { path, end };
    path.push(next.child);
    end = next.end;
    if (end < next.child.end) return { path, end };
    node = next.child;
  }
}

/** Makes room in the tree for a sequence: the node that ends with its last row. */
export function grow(root: PrefixNode, rows: Rows): PrefixNode {
  const { path, end } = match(root, rows);
  let node = path.at(-1) ?? root;
  if (node.end > end) node = node.split(end);
  if (end === rows.tokenIds.length) return node;
  const child = new PrefixNode(node, end, { tokenIds: rows.tokenIds.slice(end), media: rows.media.filter(({ start }) => start >= end) });
  node.children.push(child);
  return child;
}

/** The node that ends at a row above (or at) this one. */
export function endingAt(node: PrefixNode, row: number): PrefixNode {
  const holding = node.path.find(({ end }) => end >= row)!;
  return holding.end === row ? holding : holding.split(row);
}

/** Copies of rows of each layer, from one to the other; the caller's. */
export function copied(layers: readonly (KeyValueRows | undefined)[], start: number, end?: number): (KeyValueRows | undefined)[] {
  const copy = (x: Tensor): Tensor => {
    using part = slice(x, 2, start, end);
    return retain(contiguous(part));
  };
  const copies = layers.map((rows) => rows && { keys: copy(rows.keys), values: copy(rows.values) });
  // At once, so that what is copied from can go.
  asyncEval(...tensorsOf(copies)).dispose();
  return copies;
}

export function tensorsOf(layers: readonly (KeyValueRows | undefined)[]): Tensor[] {
  return layers.flatMap((rows) => (rows === undefined ? [] : [rows.keys, rows.values]));
}

export function withAllBelow(node: PrefixNode): PrefixNode[] {
  return [node, ...node.children.flatMap(withAllBelow)];
}
