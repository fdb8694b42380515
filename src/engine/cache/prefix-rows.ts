import { slice } from "../mlx/index.js";
import { disposeModules } from "../nn/module.js";
import { KVCache, type KeyValueRows } from "./kv-cache.js";
import type { PrefixNode } from "./prefix-tree.js";
import type { Session, Snapshot } from "./session.js";

export function copyOf({ length, caches }: Snapshot): Snapshot {
  const copies = caches.map((cache) => cache?.fork(length));
  return { length, caches: copies, [Symbol.dispose]: () => disposeModules(copies) };
}

export function bytesOf(session: Session): number {
  return session.caches.flatMap((cache) => cache.tensors()).reduce((sum, { nbytes }) => sum + nbytes, 0);
}

/** All rows of the layers that keep them. */
export function layersOf(session: Session): (KeyValueRows | undefined)[] {
  return session.caches.map((cache) => (cache instanceof KVCache ? cache.rows(0, session.length) : undefined));
}

/** A node's rows up to one of them. */
export function rowsOf(node: PrefixNode, layer: number, end: number): KeyValueRows {
  const own = node.own?.[layer];
  if (own === undefined) return rowsIn(node.source!, layer, node.start, end);
  const count = end - node.start;
  return { keys: slice(own.keys, 2, 0, count), values: slice(own.values, 2, 0, count) };
}

/** The first rows of a path, in as few pieces as they are kept in: a conversation of many turns lies in one. */
export function rowsAlong(path: readonly PrefixNode[], length: number): (layer: number) => KeyValueRows[] {
  const pieces: { start: number; end: number; from: PrefixNode | Session }[] = [];
  for (const node of path.filter(({ start }) => start < length)) {
    const end = Math.min(node.end, length);
    const from = node.own === undefined ? node.source! : node;
    const before = pieces.at(-1);
    if (before?.from === from) before.end = end;
    else pieces.push({ start: node.start, end, from });
  }
  return (layer) => pieces.map(({ start, end, from }) => ("caches" in from ? rowsIn(from, layer, start, end) : rowsOf(from, layer, end)));
}

/** Whether no other session runs through the node. */
export function isOnlySource(node: PrefixNode, session: Session): boolean {
  return node.sessions.every((one) => one === session);
}

function rowsIn(session: Session, layer: number, start: number, end: number): KeyValueRows {
  return (session.caches[layer] as KVCache).rows(start, end);
}
