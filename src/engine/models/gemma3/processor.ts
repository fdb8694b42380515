import { DeskhandError } from "../../../core/errors.js";
import { imageContentHash } from "../../image/decode.js";
import type { MediaItem, MediaSpan, Processor, ProcessorInput, Prompt } from "../architecture.js";
import type { PictureViews, ViewProcessor } from "./views.js";

const PLACE = "<start_of_image>";
const SOFT_TOKEN = "<image_soft_token>";
const END = "<end_of_image>";

/** A picture's views, of `tokensPerView` places in the prompt each. */
export interface Gemma3Image extends MediaItem, PictureViews {}

/**
 * Gemma 3's prompt: each picture's mark becomes the marks around as many places as a view has, set off by blank lines; where a picture is also
 * shown in crops, a sentence says so. Source: transformers 5.23, models/gemma3/processing_gemma3.py.
 */
export class Gemma3Processor implements Processor {
  readonly #views: ViewProcessor;
  readonly #imageTokenId: number;
  readonly #tokensPerView: number;

  constructor(views: ViewProcessor, { imageTokenId, tokensPerView }: { imageTokenId: number; tokensPerView: number }) {
    this.#views = views;
    this.#imageTokenId = imageTokenId;
    this.#tokensPerView = tokensPerView;
  }

  prepare({ text, images, encode }: ProcessorInput): Prompt {
    const [head = "", ...tails] = text.split(PLACE);
    if (tails.length !== images.length) throw mismatch(tails.length, images.length);
    const items = images.map((image) => ({ item: { kind: "image" as const, ...this.#views.process(image) }, key: `${imageContentHash(image)} ${this.#views.settingsKey}` }));
    const tokenIds = encode(head + tails.map((tail, i) => this.#expanded(items[i]!.item.views.length) + tail).join(""));
    return { tokenIds, media: this.#spans(tokenIds, items) };
  }

  #expanded(views: number): string {
    const view = `\n\n${PLACE}${SOFT_TOKEN.repeat(this.#tokensPerView)}${END}\n\n`;
    if (views === 1) return view;
    return `Here is the original image ${view} and here are some crops to help you see better ${Array.from({ length: views - 1 }, () => view).join(" ")}`;
  }

  #spans(tokenIds: readonly number[], items: readonly { item: Gemma3Image; key: string }[]): MediaSpan[] {
    const places = tokenIds.flatMap((id, row) => (id === this.#imageTokenId ? [row] : []));
    let used = 0;
    const media = items.map(({ item, key }) => {
      const count = item.views.length * this.#tokensPerView;
      const span = { start: places[used]!, end: (places[used + count - 1] ?? NaN) + 1, item, key };
      used += count;
      return span;
    });
    if (used !== places.length) {
      throw new DeskhandError("invalid_argument", `Expected the prompt to have ${used} places of pictures but it has ${places.length}. Remove ${SOFT_TOKEN} from the text.`, { param: "messages" });
    }
    return media;
  }
}

function mismatch(places: number, images: number): DeskhandError {
  return new DeskhandError("invalid_argument", `Expected the prompt to have a place (${PLACE}) for each of its ${images} pictures but it has ${places}. Remove picture marks from the text, or let the chat template write them.`, { param: "messages" });
}
