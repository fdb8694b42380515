import { DeskhandError } from "../../../core/errors.js";
import { imageContentHash } from "../../image/decode.js";
import type { PixtralImageProcessor, PixtralPicture } from "../../image/pixtral-processor.js";
import type { MediaItem, MediaSpan, Processor, ProcessorInput, Prompt } from "../architecture.js";

export interface PixtralImage extends MediaItem, PixtralPicture {}

const BREAK = "[IMG_BREAK]";
const END = "[IMG_END]";

/** Mistral's prompt: a picture's mark becomes its rows of marks, each closed by a break and the last by an end. */
export class Mistral3Processor implements Processor {
  readonly #images: PixtralImageProcessor;
  readonly #imageTokenId: number;
  readonly #mergeSize: number;

  constructor(images: PixtralImageProcessor, options: { imageTokenId: number; mergeSize: number }) {
    this.#images = images;
    this.#imageTokenId = options.imageTokenId;
    this.#mergeSize = options.mergeSize;
  }

  prepare({ text, images, encode }: ProcessorInput): Prompt {
    const tokenIds = encode(text);
    if (images.length === 0) return { tokenIds, media: [] };
    const marks = { image: this.#imageTokenId, lineBreak: oneToken(BREAK, encode), end: oneToken(END, encode) };
    const items = images.map((image) => ({ item: { kind: "image" as const, ...this.#images.process(image) }, key: `${imageContentHash(image)} ${this.#images.settingsKey}` }));
    const laidOut: number[] = [];
    const media: MediaSpan[] = [];
    let places = 0;
    for (let i = 0; i < tokenIds.length; ) {
      const image = tokenIds[i] === this.#imageTokenId ? items[places++] : undefined;
      if (image === undefined) {
        laidOut.push(tokenIds[i++] as number);
        continue;
      }
      const lines = rowsOf(image.item.rows / this.#mergeSize, image.item.columns / this.#mergeSize, marks);
      // A raw prompt may spell the whole picture out.
      i += lines.every((id, k) => tokenIds[i + k] === id) ? lines.length : 1;
      const start = laidOut.length;
      for (const id of lines) laidOut.push(id);
      media.push({ start, end: laidOut.length, ...image });
    }
    if (places !== images.length) {
      throw new DeskhandError("invalid_argument", `Expected the prompt to have a place for each of its ${images.length} pictures but it has ${places}. Remove picture marks from the text, or let the chat template write them.`);
    }
    return { tokenIds: laidOut, media };
  }
}

function rowsOf(rows: number, columns: number, marks: { image: number; lineBreak: number; end: number }): number[] {
  const line = [...Array<number>(columns).fill(marks.image), marks.lineBreak];
  const all = Array.from({ length: rows }, () => line).flat();
  all[all.length - 1] = marks.end;
  return all;
}

function oneToken(mark: string, encode: (text: string) => number[]): number {
  const [id, ...rest] = encode(mark);
  if (id === undefined || rest.length > 0) throw new DeskhandError("invalid_model", `Expected the tokenizer to know ${mark} as one token but it makes ${rest.length + (id === undefined ? 0 : 1)} of it. Is the tokenizer the model's own?`);
  return id;
}
