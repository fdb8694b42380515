import { DeskhandError } from "../../core/errors.js";
import type { ImageSpan, ProcessedImage } from "../models/architecture.js";

/** A picture ready for the model. */
export interface PromptImage {
  image: ProcessedImage;
  /** Same key, same pixels and same processor settings. */
  key: string;
}

/** A tokenised prompt with room made for its pictures. */
export interface Prompt {
  tokenIds: readonly number[];
  images: readonly (ImageSpan & PromptImage)[];
}

/**
 * Gives every picture its places: the k-th run of `imageTokenId` becomes as many as the k-th picture takes. A run that already
 * has that length is left as it is (a raw prompt may spell all places out).
 * @throws DeskhandError `invalid_argument` when places and pictures do not match.
 */
export function layOutImages(tokenIds: readonly number[], images: readonly PromptImage[], imageTokenId: number | undefined): Prompt {
  const laidOut: number[] = [];
  const spans: (ImageSpan & PromptImage)[] = [];
  let places = 0;
  for (let i = 0; i < tokenIds.length; ) {
    const id = tokenIds[i] as number;
    if (id !== imageTokenId) {
      laidOut.push(id);
      i++;
      continue;
    }
    const image = images[places++];
    const run = runLength(tokenIds, i);
    if (image !== undefined) {
      const count = image.image.mergedTokens;
      // A run of another length is that many pictures side by side.
      i += run === count ? run : 1;
      spans.push({ start: laidOut.length, ...image });
      for (let k = 0; k < count; k++) laidOut.push(id);
    } else i++;
  }
  if (places !== images.length) {
    throw new DeskhandError("invalid_argument", `Expected the prompt to have a place for each of its ${images.length} pictures but it has ${places}. Remove picture marks from the text, or let the chat template write them.`);
  }
  return { tokenIds: laidOut, images: spans };
}

function runLength(tokenIds: readonly number[], start: number): number {
  let end = start;
  while (tokenIds[end] === tokenIds[start]) end++;
  return end - start;
}
