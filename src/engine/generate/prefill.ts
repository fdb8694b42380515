import { throwIfAborted } from "../../core/errors.js";
import type { Session } from "../cache/session.js";
import { concatenate, disposeAll, evaluated, expandDims, scope, slice, squeeze, tensor, zeros, type Tensor } from "../mlx/index.js";
import type { Architecture, ImageFeatures } from "../models/architecture.js";
import type { Prompt } from "./prompt.js";

/** Rows a forward pass takes at most: bounds the memory of attention, and how long an abort waits. */
const PREFILL_CHUNK = 512;

export interface PrefillOptions {
  signal?: AbortSignal;
  chunk?: number;
  /** Told before the prompt runs how many of its rows the cache has already. */
  onPrefill?: (cachedRows: number) => void;
}

/**
 * Runs the prompt's rows that are not cached yet through the model, chunk by chunk.
 * @returns logits of the last row, `[1, V]`, not yet evaluated; owned by the caller.
 * @throws DeskhandError `cancelled` between chunks; the session then holds the rows done so far.
 */
export async function prefill(model: Architecture, prompt: Prompt, session: Session, { signal, onPrefill, chunk = PREFILL_CHUNK }: PrefillOptions = {}): Promise<Tensor> {
  const start = session.begin(prompt);
  onPrefill?.(start);
  const { tokenIds } = prompt;
  const positions = model.positions(tokenIds.length, prompt.images);
  const rows = await embedRows(model, prompt, start, signal);
  try {
    let from = start;
    for (; from + chunk < tokenIds.length; from += chunk) {
      const to = from + chunk;
      scope(() => void model.decode(rowsBetween(rows, from - start, to - start, positions.rotary(from, to)), session.caches));
      await evaluated(...session.caches.flatMap((cache) => cache.tensors()));
      session.append(tokenIds.slice(from, to));
      throwIfAborted(signal);
    }
    const logits = scope(() => {
      const hidden = model.decode(rowsBetween(rows, from - start, tokenIds.length - start, positions.rotary(from, tokenIds.length)), session.caches);
      return squeeze(model.logits(slice(hidden, 1, -1)), 1);
    });
    session.append(tokenIds.slice(from));
    return logits;
  } finally {
    disposeAll([rows.embeddings, ...rows.deepstack]);
  }
}

/** What the decoder takes for the rows from `start` on: `[1, n, D]` each. */
interface EmbeddedRows {
  embeddings: Tensor;
  deepstack: Tensor[];
}

function rowsBetween<R>({ embeddings, deepstack }: EmbeddedRows, from: number, to: number, rotary: R): EmbeddedRows & { rotary: R } {
  return { embeddings: slice(embeddings, 1, from, to), deepstack: deepstack.map((features) => slice(features, 1, from, to)), rotary };
}

/** Token embeddings with the pictures' features in their places. Pictures before `start` are not looked at. */
async function embedRows(model: Architecture, prompt: Prompt, start: number, signal: AbortSignal | undefined): Promise<EmbeddedRows> {
  const features: { from: number; to: number; of: ImageFeatures }[] = [];
  try {
    for (const { start: from, image } of prompt.images) {
      const to = from + image.mergedTokens;
      if (to <= start || model.encodeImage === undefined) continue;
      throwIfAborted(signal);
      const of = scope(() => model.encodeImage!(image));
      features.push({ from, to, of });
      await evaluated(of.embeddings, ...of.deepstack);
    }
    throwIfAborted(signal);
    return scope(() => joinRows(model, prompt.tokenIds, start, features));
  } finally {
    disposeAll(features.flatMap(({ of }) => [of.embeddings, ...of.deepstack]));
  }
}

function joinRows(model: Architecture, tokenIds: readonly number[], start: number, features: { from: number; to: number; of: ImageFeatures }[]): EmbeddedRows {
  const pieces: Tensor[] = [];
  const levels = features[0]?.of.deepstack.length ?? 0;
  const deepstack: Tensor[][] = Array.from({ length: levels }, () => []);
  let row = start;
  const text = (end: number): void => {
    if (end <= row) return;
    const piece = model.embed(tensor(Int32Array.from(tokenIds.slice(row, end)), [1, end - row]));
    pieces.push(piece);
    for (const level of deepstack) level.push(zeros(piece.shape, piece.dtype));
    row = end;
  };
  for (const { from, to, of } of features) {
    text(from);
    // A picture may be cached in part, when an earlier prefill was cancelled inside it.
    const rest = (x: Tensor): Tensor => expandDims(slice(x, 0, row - from), 0);
    pieces.push(rest(of.embeddings));
    of.deepstack.forEach((level, i) => deepstack[i]?.push(rest(level)));
    row = to;
  }
  text(tokenIds.length);
  return { embeddings: concatenate(pieces, 1), deepstack: deepstack.map((level) => concatenate(level, 1)) };
}
