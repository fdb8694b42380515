import { DeskhandError } from "../../../core/errors.js";
import { imageContentHash, type DecodedImage } from "../../image/decode.js";
import type { MediaItem, MediaSpan, Processor, ProcessorInput, Prompt } from "../architecture.js";
import type { Idefics3Config } from "./config.js";
import type { TiledImage, TileProcessor } from "./tiles.js";

const IMAGE = "<image>";
const BORDER = "<fake_token_around_image>";
const GLOBAL = "<global-img>";

/** A picture cut into tiles. */
export interface Idefics3Image extends MediaItem, TiledImage {}

/**
 * The prompt of Idefics3 and SmolVLM: each picture's mark becomes its tiles, each behind its row and column, line by line, and then
 * the whole picture. Source: transformers 5.23, models/idefics3/processing_idefics3.py.
 */
export class Idefics3Processor implements Processor {
  readonly #tiles: TileProcessor;
  readonly #imageTokenId: number;
  readonly #tokensPerTile: number;

  /** @throws DeskhandError `unsupported_model` when a tile's patches do not make whole squares of `scale_factor`. */
  constructor(tiles: TileProcessor, { image_token_id, scale_factor, vision_config: { patch_size } }: Idefics3Config) {
    const patches = Math.floor(tiles.sidePx / patch_size);
    if (patches === 0 || patches % scale_factor !== 0) {
      throw new DeskhandError("unsupported_model", `Expected max_image_size (${tiles.sidePx}) to hold a multiple of scale_factor (${scale_factor}) patches of ${patch_size} pixels but it holds ${patches}. Do preprocessor_config.json and config.json belong together?`);
    }
    this.#tiles = tiles;
    this.#imageTokenId = image_token_id;
    this.#tokensPerTile = (patches / scale_factor) ** 2;
  }

  prepare({ text, images, encode }: ProcessorInput): Prompt {
    const [head, ...tails] = text.split(IMAGE) as [string, ...string[]];
    if (tails.length !== images.length) {
      throw new DeskhandError("invalid_argument", `Expected the prompt to have a place for each of its ${images.length} pictures but it has ${tails.length}. Remove picture marks from the text, or let the chat template write them.`);
    }
    const processed = images.map((image) => this.#process(image));
    // Encoded as a whole: the words between the marks may meet what is around them. A tile's mark is repeated afterwards.
    return this.#layOut(encode(head + tails.map((tail, i) => placesOf(processed[i]!.item) + tail).join("")), processed);
  }

  #process(image: DecodedImage): { item: Idefics3Image; key: string } {
    return { item: { kind: "image", ...this.#tiles.process(image) }, key: `${imageContentHash(image)} ${this.#tiles.settingsKey}` };
  }

  #layOut(tokenIds: readonly number[], images: readonly { item: Idefics3Image; key: string }[]): Prompt {
    const laidOut: number[] = [];
    const media: MediaSpan[] = [];
    let tile = 0;
    for (const id of tokenIds) {
      if (id !== this.#imageTokenId) {
        laidOut.push(id);
        continue;
      }
      const image = images[media.length + (tile === 0 ? 0 : -1)];
      if (image === undefined) throw new DeskhandError("invalid_model", `Expected ${IMAGE} alone to be token ${this.#imageTokenId} but other text is too. Does tokenizer.json belong to config.json?`);
      if (tile === 0) media.push({ start: laidOut.length, end: laidOut.length, ...image });
      for (let i = 0; i < this.#tokensPerTile; i++) laidOut.push(id);
      (media.at(-1) as MediaSpan).end = laidOut.length;
      tile = (tile + 1) % image.item.tiles;
    }
    if (media.length !== images.length || tile !== 0) throw new DeskhandError("invalid_model", `Expected ${IMAGE} to be token ${this.#imageTokenId} but the tokenizer reads it otherwise. Does tokenizer.json belong to config.json?`);
    return { tokenIds: laidOut, media };
  }
}

/** What stands for a picture, with one mark a tile. */
function placesOf({ rows, columns }: TiledImage): string {
  const whole = BORDER + GLOBAL + IMAGE + BORDER;
  if (rows === 0) return whole;
  let text = "";
  for (let row = 1; row <= rows; row++) {
    for (let column = 1; column <= columns; column++) text += `${BORDER}<row_${row}_col_${column}>${IMAGE}`;
    text += "\n";
  }
  return `${text}\n${whole}`;
}
