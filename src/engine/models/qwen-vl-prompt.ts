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

/** The places of one kind of media: the token that marks them, and in their order how many of it each takes. */
export interface MediaPlaces {
  kind: "picture" | "sound";
  tokenId: number;
  media: readonly { item: MediaItem; tokens: number; key: string }[];
}

/** `layOutMedia` for pictures alone. */
export function layOutImages(tokenIds: readonly number[], images: readonly { item: MediaItem & { mergedTokens: number }; key: string }[], imageTokenId: number): Prompt {
  return layOutMedia(tokenIds, [{ kind: "picture", tokenId: imageTokenId, media: images.map(({ item, key }) => ({ item, key, tokens: item.mergedTokens })) }]);
}

/**
 * Gives media their places: the k-th run of a kind's token becomes as many as its k-th item takes. A run that already has that
 * length is left as it is (a raw prompt may spell all places out).
 * @throws DeskhandError `invalid_argument` when places and media do not match.
 */
export function layOutMedia(tokenIds: readonly number[], kinds: readonly MediaPlaces[]): Prompt {
  const laidOut: number[] = [];
  const media: MediaSpan[] = [];
  const places = new Map(kinds.map(({ tokenId }) => [tokenId, 0]));
  for (let i = 0; i < tokenIds.length; ) {
    const id = tokenIds[i] as number;
    const place = places.get(id);
    if (place === undefined) {
      laidOut.push(id);
      i++;
      continue;
    }
    places.set(id, place + 1);
    const one = kinds.find(({ tokenId }) => tokenId === id)?.media[place];
    if (one === undefined) {
      i++;
      continue;
    }
    const { tokens, item, key } = one;
    const run = runLength(tokenIds, i);
    // A run of another length is that many items side by side.
    i += run === tokens ? run : 1;
    const start = laidOut.length;
    for (let k = 0; k < tokens; k++) laidOut.push(id);
    media.push({ start, end: laidOut.length, item, key });
  }
  for (const { kind, tokenId, media: expected } of kinds) {
    const found = places.get(tokenId);
    if (found === expected.length) continue;
    throw new DeskhandError("invalid_argument", `Expected the prompt to have a place for each of its ${expected.length} ${kind}s but it has ${found}. Remove ${kind} marks from the text, or let the chat template write them.`);
  }
  return { tokenIds: laidOut, media };
}

function runLength(tokenIds: readonly number[], start: number): number {
  let end = start;
  while (tokenIds[end] === tokenIds[start]) end++;
  return end - start;
}
