import { DeskhandError } from "../../../core/errors.js";
import { imageContentHash, type DecodedImage } from "../../image/decode.js";
import type { MediaItem, MediaSpan, Processor, ProcessorInput, Prompt } from "../architecture.js";
import { tokenCount, type TiledImage, type TileProcessor } from "./tiles.js";

const TAG = /<\|image_(\d+)\|>/;

/** A picture cut into tiles. */
export interface Phi3VImage extends MediaItem, TiledImage {}

/** Phi-3-Vision's prompt: `<|image_2|>` becomes the places of the second picture; the pieces of text between are encoded one by one. */
export class Phi3VProcessor implements Processor {
  readonly addsSpecialTokens = true;
  readonly pictureMark = (number: number): string => `<|image_${number}|>\n`;
  readonly #tiles: TileProcessor;
  readonly #placeId: number;

  /** @param placeId the id that stands for a picture's row. The reference counts down from -1; here it is one that no text has. */
  constructor(tiles: TileProcessor, placeId: number) {
    this.#tiles = tiles;
    this.#placeId = placeId;
  }

  prepare({ text, images, encode }: ProcessorInput): Prompt {
    // Pieces of text, and between them the tags' numbers.
    const pieces = text.split(TAG);
    const numbers = pieces.filter((_, i) => i % 2 === 1).map(Number);
    const named = [...new Set(numbers)].sort((a, b) => a - b);
    if (named.length !== images.length || named.some((number, i) => number !== i + 1)) {
      throw new DeskhandError("invalid_argument", `Expected the prompt to have tags <|image_1|> to <|image_${images.length}|> for its ${images.length} pictures but it has ${named.length === 0 ? "none" : named.map((number) => `<|image_${number}|>`).join(", ")}. Number the tags from 1, or let the chat template write them.`);
    }
    const processed = images.map((image) => this.#process(image));
    // What the tokenizer puts before a text of its own belongs before the first piece only.
    const opening = encode("").length;
    const tokenIds: number[] = [];
    const media: MediaSpan[] = [];
    pieces.forEach((piece, i) => {
      if (i % 2 === 0) {
        tokenIds.push(...(i === 0 ? encode(piece) : encode(piece).slice(opening)));
        return;
      }
      const image = processed[Number(piece) - 1]!;
      const start = tokenIds.length;
      for (let k = tokenCount(image.item); k > 0; k--) tokenIds.push(this.#placeId);
      media.push({ start, end: tokenIds.length, ...image });
    });
    return { tokenIds, media };
  }

  #process(image: DecodedImage): { item: Phi3VImage; key: string } {
    return { item: { kind: "image", ...this.#tiles.process(image) }, key: `${imageContentHash(image)} ${this.#tiles.settingsKey}` };
  }
}
