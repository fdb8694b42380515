import { tensorsOf, type FeatureCache } from "../cache/feature-cache.js";
import type { Session } from "../cache/session.js";
import { concatenate, disposeAll, evaluated, expandDims, scope, slice, squeeze, tensor, zeros, type Tensor } from "../mlx/index.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaSpan, Prompt, PromptPlan } from "../models/architecture.js";

/** Rows a forward pass takes at most: bounds the memory of attention, and how long an abort waits. */
export const PREFILL_CHUNK = 512;

export interface PrefillOptions {
  /** Rows at which the session is to be marked. */
  marks?: readonly number[];
  /** What is known of pictures already. */
  features?: FeatureCache;
}

/** A prompt on its way through the model, piece by piece, so that other work fits in between. */
export class Prefill implements Disposable {
  readonly #model: Architecture;
  readonly #prompt: Prompt;
  readonly #session: Session;
  readonly #marks: readonly number[];
  readonly #known: FeatureCache | undefined;
  readonly #plan: PromptPlan;
  /** Of the media whose rows are yet to come. */
  readonly #features = new Map<MediaSpan, MediaFeatures>();

  /** @param session holds the beginning of the prompt, and less than all of it. */
  constructor(model: Architecture, prompt: Prompt, session: Session, { marks = [], features }: PrefillOptions = {}) {
    this.#model = model;
    this.#prompt = prompt;
    this.#session = session;
    this.#marks = marks;
    this.#known = features;
    this.#plan = model.plan(prompt);
  }

  /** Position of the first row after the prompt. */
  get next(): number {
    return this.#plan.next;
  }

  /**
   * Encodes one picture (or other medium) of the next rows, or runs at most `rows` of them.
   * @returns once the prompt is through: logits of its last row, `[1, V]`, not yet evaluated; owned by the caller.
   */
  async step(rows = PREFILL_CHUNK): Promise<Tensor | undefined> {
    const from = this.#session.length;
    const { length } = this.#prompt.tokenIds;
    const mark = this.#marks.find((row) => row > from) ?? length;
    const to = Math.min(this.#plan.border?.(from + rows) ?? from + rows, mark, length);
    const spans = this.#prompt.media.filter(({ start, end }) => start < to && end > from);
    const missing = spans.find((span) => !this.#features.has(span));
    if (missing !== undefined && this.#model.encode !== undefined) {
      await this.#encode(missing);
      return undefined;
    }
    const logits = scope(() => {
      const hidden = this.#model.decode({ ...this.#rows(from, to, spans), ...this.#plan.rows(from, to) }, this.#session.caches);
      return to === length ? squeeze(this.#model.logits(slice(hidden, 1, -1)), 1) : undefined;
    });
    this.#session.append(this.#prompt.tokenIds.slice(from, to));
    this.#letGo((span) => span.end <= to);
    if (logits === undefined) await evaluated(...this.#session.caches.flatMap((cache) => cache.tensors()));
    if (to === mark && to < length) this.#session.mark();
    return logits;
  }

  [Symbol.dispose](): void {
    this.#letGo(() => true);
  }

  async #encode(span: MediaSpan): Promise<void> {
    const key = `${span.item.kind} ${span.key}`;
    const known = this.#known?.get(key);
    const item = known === undefined && span.whole !== undefined ? await span.whole() : span.item;
    const features = known ?? scope(() => this.#model.encode!(item));
    this.#features.set(span, features);
    if (known !== undefined) return;
    await evaluated(...tensorsOf(features));
    this.#known?.put(key, features);
  }

  #letGo(isDone: (span: MediaSpan) => boolean): void {
    for (const [span, features] of this.#features) {
      if (!isDone(span)) continue;
      this.#features.delete(span);
      disposeAll(tensorsOf(features));
    }
  }

  /** Token embeddings of the rows [from, to), with the media's features in their places: `[1, n, D]` each. */
  #rows(from: number, to: number, spans: readonly MediaSpan[]): Pick<DecoderInput, "embeddings" | "deepstack"> {
    const { tokenIds } = this.#prompt;
    const media = new Set(this.#model.mediaTokenIds);
    const pieces: Tensor[] = [];
    const levels = Math.max(0, ...spans.map((span) => this.#features.get(span)?.deepstack?.length ?? 0));
    const deepstack: Tensor[][] = Array.from({ length: levels }, () => []);
    const text = (start: number, end: number): void => {
      if (start >= end) return;
      const piece = this.#model.embed(tensor(Int32Array.from(tokenIds.slice(start, end)), [1, end - start]));
      pieces.push(piece);
      for (const level of deepstack) level.push(zeros(piece.shape, piece.dtype));
    };
    let row = from;
    for (const span of spans) {
      const features = this.#features.get(span);
      if (features === undefined) continue;
      text(row, Math.min(span.start, to));
      row = Math.max(row, span.start);
      // Features of rows that came before, in the cache or in an earlier pass.
      let used = tokenIds.slice(span.start, row).filter((id) => media.has(id)).length;
      const limit = Math.min(span.end, to);
      while (row < limit) {
        const end = runEnd(tokenIds, row, limit, media);
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
    text(row, to);
    return { embeddings: concatenate(pieces, 1), deepstack: deepstack.map((level) => concatenate(level, 1)) };
  }
}

/** Where the run of media tokens, or of others, that begins at `start` ends. */
function runEnd(tokenIds: readonly number[], start: number, limit: number, media: ReadonlySet<number>): number {
  const isMedia = media.has(tokenIds[start] as number);
  let end = start + 1;
  while (end < limit && media.has(tokenIds[end] as number) === isMedia) end++;
  return end;
}
