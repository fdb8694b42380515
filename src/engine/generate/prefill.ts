import { throwIfAborted } from "../../core/errors.js";
import type { Session } from "../cache/session.js";
import { concatenate, disposeAll, evaluated, expandDims, scope, slice, squeeze, tensor, zeros, type Tensor } from "../mlx/index.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaSpan, Prompt, RowPlan } from "../models/architecture.js";

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
  const start = session.begin(prompt, model);
  onPrefill?.(start);
  const { tokenIds } = prompt;
  const plan = model.plan(prompt);
  const rows = await embedRows(model, prompt, start, signal);
  try {
    let from = start;
    const chunkEnd = (): number => plan.border?.(from + chunk) ?? from + chunk;
    for (let to = chunkEnd(); to < tokenIds.length; from = to, to = chunkEnd()) {
      scope(() => void model.decode(rowsBetween(rows, from - start, to - start, plan.rows(from, to)), session.caches));
      await evaluated(...session.caches.flatMap((cache) => cache.tensors()));
      session.append(tokenIds.slice(from, to));
      throwIfAborted(signal);
    }
    const logits = scope(() => {
      const hidden = model.decode(rowsBetween(rows, from - start, tokenIds.length - start, plan.rows(from, tokenIds.length)), session.caches);
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

function rowsBetween({ embeddings, deepstack }: EmbeddedRows, from: number, to: number, plan: RowPlan): DecoderInput {
  return { ...plan, embeddings: slice(embeddings, 1, from, to), deepstack: deepstack.map((features) => slice(features, 1, from, to)) };
}

/** An item's features, and where they go. */
interface Encoded {
  span: MediaSpan;
  features: MediaFeatures;
}

/** Token embeddings with the media's features in their places. Media before `start` are not looked at. */
async function embedRows(model: Architecture, prompt: Prompt, start: number, signal: AbortSignal | undefined): Promise<EmbeddedRows> {
  const encoded: Encoded[] = [];
  try {
    for (const span of prompt.media) {
      if (span.end <= start || model.encode === undefined) continue;
      throwIfAborted(signal);
      const features = scope(() => model.encode!(span.item));
      encoded.push({ span, features });
      await evaluated(...tensorsOf(features));
    }
    throwIfAborted(signal);
    return scope(() => joinRows(model, prompt.tokenIds, start, encoded));
  } finally {
    disposeAll(encoded.flatMap(({ features }) => tensorsOf(features)));
  }
}

function tensorsOf({ embeddings, deepstack = [] }: MediaFeatures): Tensor[] {
  return [embeddings, ...deepstack];
}

function joinRows(model: Architecture, tokenIds: readonly number[], start: number, encoded: readonly Encoded[]): EmbeddedRows {
  const media = new Set(model.mediaTokenIds);
  const pieces: Tensor[] = [];
  const levels = Math.max(0, ...encoded.map(({ features }) => features.deepstack?.length ?? 0));
  const deepstack: Tensor[][] = Array.from({ length: levels }, () => []);
  const text = (from: number, to: number): void => {
    if (from === to) return;
    const piece = model.embed(tensor(Int32Array.from(tokenIds.slice(from, to)), [1, to - from]));
    pieces.push(piece);
    for (const level of deepstack) level.push(zeros(piece.shape, piece.dtype));
  };
  let row = start;
  for (const { span, features } of encoded) {
    text(row, Math.max(row, span.start));
    row = Math.max(row, span.start);
    // Features of rows that are cached already, when an earlier prefill was cancelled inside the item.
    let used = tokenIds.slice(span.start, row).filter((id) => media.has(id)).length;
    while (row < span.end) {
      const end = runEnd(tokenIds, row, span.end, media);
      if (media.has(tokenIds[row] as number)) {
        const rows = (x: Tensor): Tensor => expandDims(slice(x, 0, used, used + end - row), 0);
        const piece = rows(features.embeddings);
        pieces.push(piece);
        // Sounds have no such features, where pictures have.
        deepstack.forEach((level, i) => level.push(features.deepstack === undefined ? zeros(piece.shape, piece.dtype) : rows(features.deepstack[i] as Tensor)));
        used += end - row;
      } else text(row, end);
      row = end;
    }
  }
  text(row, tokenIds.length);
  return { embeddings: concatenate(pieces, 1), deepstack: deepstack.map((level) => concatenate(level, 1)) };
}

/** Where the run of media tokens, or of others, that begins at `start` ends. */
function runEnd(tokenIds: readonly number[], start: number, limit: number, media: ReadonlySet<number>): number {
  const isMedia = media.has(tokenIds[start] as number);
  let end = start + 1;
  while (end < limit && media.has(tokenIds[end] as number) === isMedia) end++;
  return end;
}
