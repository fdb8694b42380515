import { DeskhandError } from "../../core/errors.js";
import { imageContentHash, type DecodedImage } from "../image/decode.js";
import type { ProcessedImage, QwenVLImageProcessor } from "../image/qwen-vl-processor.js";
import type { MediaItem, MediaSpan, Processor, ProcessorInput, Prompt } from "./architecture.js";

/** A picture cut into patches. */
export interface QwenImage extends MediaItem, ProcessedImage {}

/** Qwen-VL's prompt: each picture's mark becomes as many tokens as the picture has merged patches. */
export class QwenVLProcessor implements Processor {
  readonly #images: QwenVLImageProcessor;
  readonly #imageTokenId: number;

  constructor(images: QwenVLImageProcessor, imageTokenId: number) {
    this.#images = images;
    this.#imageTokenId = imageTokenId;
  }

  prepare({ text, images, encode }: ProcessorInput): Prompt {
    return layOutImages(encode(text), images.map((image) => this.#process(image)), this.#imageTokenId);
  }

  #process(image: DecodedImage): { item: QwenImage; key: string } {
    return { item: { kind: "image", ...this.#images.process(image) }, key: `${imageContentHash(image)} ${this.#images.settingsKey}` };
  }
}

/**
 * Gives every picture its places: the k-th run of `imageTokenId` becomes as many as the k-th picture takes. A run that already
 * has that length is left as it is (a raw prompt may spell all places out).
 * @throws DeskhandError `invalid_argument` when places and pictures do not match.
 */
export function layOutImages(tokenIds: readonly number[], images: readonly { item: MediaItem & { mergedTokens: number }; key: string }[], imageTokenId: number): Prompt {
  const laidOut: number[] = [];
  const media: MediaSpan[] = [];
  let places = 0;
  for (let i = 0; i < tokenIds.length; ) {
    const id = tokenIds[i] as number;
    if (id !== imageTokenId) {
      laidOut.push(id);
      i++;
      continue;
    }
    const image = images[places++];
    if (image === undefined) {
      i++;
      continue;
    }
    const count = image.item.mergedTokens;
    const run = runLength(tokenIds, i);
    // A run of another length is that many pictures side by side.
    i += run === count ? run : 1;
    const start = laidOut.length;
    for (let k = 0; k < count; k++) laidOut.push(id);
    media.push({ start, end: laidOut.length, ...image });
  }
  if (places !== images.length) {
    throw new DeskhandError("invalid_argument", `Expected the prompt to have a place for each of its ${images.length} pictures but it has ${places}. Remove picture marks from the text, or let the chat template write them.`);
  }
  return { tokenIds: laidOut, media };
}

function runLength(tokenIds: readonly number[], start: number): number {
  let end = start;
  while (tokenIds[end] === tokenIds[start]) end++;
  return end - start;
}
