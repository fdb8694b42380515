import sharp from "sharp";
import type { Screenshot } from "../computer/computer.js";
import type { ScreenPart } from "../coordinates.js";
import type { ResolvedAgentOptions } from "../options.js";
import { changedBoxes, solidPixels, type Box } from "./changed-boxes.js";
import { SecretMark } from "./secret-mark.js";

/** Around what changed, in captured pixels: the rest of a glyph, the field's border. */
const MARGIN_PX = 4;

/** Of all places that changed while a secret was typed, as many are looked for elsewhere: more is a film, not a field. */
const MAX_FOLLOWED = 16;

const WHOLE: ScreenPart = { left: 0, top: 0, right: 1, bottom: 1 };

/**
 * Parts of the screen that people and recordings must not see: where secrets were typed, whatever is there later, and what they looked
 * like there, wherever a window moves or a page scrolls.
 */
export class HiddenParts {
  readonly #parts: ScreenPart[] = [];
  readonly #marks: SecretMark[] = [];
  readonly #cover: ResolvedAgentOptions["coverSecrets"];

  constructor(cover: ResolvedAgentOptions["coverSecrets"]) {
    this.#cover = cover;
  }

  /** @param before the frame before a secret was typed, and `after` the one after it */
  learn(before: Screenshot, after: Screenshot): void {
    if (this.#cover === "screen" || before.widthPx !== after.widthPx || before.heightPx !== after.heightPx) {
      // In another size nobody knows where it is.
      this.#parts.push(WHOLE);
      return;
    }
    const boxes = changedBoxes(before, after);
    this.#parts.push(...boxes.map((box) => asPart(box, after)));
    const largest = boxes.toSorted((a, b) => b.width * b.height - a.width * a.height).slice(0, MAX_FOLLOWED);
    this.#marks.push(...largest.map((box) => new SecretMark(after, box)));
  }

  /**
   * A PNG with everything hidden painted over; the same buffer where there is nothing to hide.
   * @param shown what part of the screen is on it
   * @param shot the frame it was made of; the picture itself unless given, which has to be of the screen's own size then
   */
  async cover(png: Buffer, shown: ScreenPart, shot?: Screenshot): Promise<Buffer> {
    if (this.#parts.length === 0) return png;
    const found = shot ? this.#find(shot) : this.#find(await pixelsOf(png)).map((part) => inside(part, shown));
    const { width, height } = await sharp(png).metadata();
    const across = (at: number) => Math.max(0, Math.min(1, (at - shown.left) / (shown.right - shown.left))) * width;
    const down = (at: number) => Math.max(0, Math.min(1, (at - shown.top) / (shown.bottom - shown.top))) * height;
    const covers = [...this.#parts, ...found].flatMap((part) => {
      const [left, top] = [Math.floor(across(part.left)), Math.floor(down(part.top))];
      const size = { width: Math.ceil(across(part.right)) - left, height: Math.ceil(down(part.bottom)) - top };
      return size.width > 0 && size.height > 0 ? [{ input: { create: { ...size, channels: 3 as const, background: "black" } }, left, top }] : [];
    });
    return covers.length === 0 ? png : sharp(png).composite(covers).removeAlpha().png({ compressionLevel: 1 }).toBuffer();
  }

  #find(shot: Screenshot): ScreenPart[] {
    const pixels = Buffer.from(solidPixels(shot).buffer);
    const found = this.#marks.flatMap((mark) => mark.find(pixels, shot.widthPx).map((box) => asPart(box, shot)));
    return [...new Map(found.map((part) => [Object.values(part).join(), part])).values()];
  }
}

async function pixelsOf(png: Buffer): Promise<Screenshot> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, widthPx: info.width, heightPx: info.height };
}

/** A part of a part, as a part of the whole. */
function inside(part: ScreenPart, whole: ScreenPart): ScreenPart {
  const across = (at: number) => whole.left + at * (whole.right - whole.left);
  const down = (at: number) => whole.top + at * (whole.bottom - whole.top);
  return { left: across(part.left), top: down(part.top), right: across(part.right), bottom: down(part.bottom) };
}

function asPart({ left, top, width, height }: Box, { widthPx, heightPx }: Screenshot): ScreenPart {
  const clamp = (value: number) => Math.max(0, Math.min(1, value));
  return {
    left: clamp((left - MARGIN_PX) / widthPx),
    top: clamp((top - MARGIN_PX) / heightPx),
    right: clamp((left + width + MARGIN_PX) / widthPx),
    bottom: clamp((top + height + MARGIN_PX) / heightPx),
  };
}
