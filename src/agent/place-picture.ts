import sharp from "sharp";
import type { Point } from "./actions.js";
import { toDataUri } from "./observe.js";
import type { Frame } from "./safety/target-box.js";

/** What is shown of the screen around a control, in logical pixels, and how much larger. */
const SHOWN = { width: 384, height: 192 };
const FACTOR = 2;

/** The pixels around a place, which is in their middle also at the edge of the screen. */
export interface PlacePixels {
  /** RGB. */
  data: Buffer;
  widthPx: number;
  heightPx: number;
}

/** @param at in logical desktop pixels, on the display */
export async function cutOut({ shot: { data, widthPx, heightPx }, display }: Frame, at: Point): Promise<PlacePixels> {
  const across = cut(at.x - display.x, SHOWN.width, display.width, widthPx);
  const down = cut(at.y - display.y, SHOWN.height, display.height, heightPx);
  const whole = { width: widthPx, height: heightPx, channels: 4 as const };
  // X servers leave the alpha byte undefined.
  const part = await sharp(data, { raw: whole }).removeAlpha().extract({ left: across.from, top: down.from, width: across.length, height: down.length }).raw().toBuffer();
  const raw = { width: across.length, height: down.length, channels: 3 as const };
  const padded = await sharp(part, { raw }).extend({ left: across.before, right: across.after, top: down.before, bottom: down.after, background: "#808080" }).raw().toBuffer();
  return { data: padded, widthPx: across.size, heightPx: down.size };
}

/** As a picture for a model. */
export async function enlarged({ data, widthPx, heightPx }: PlacePixels): Promise<string> {
  const png = await sharp(data, { raw: { width: widthPx, height: heightPx, channels: 3 } }).resize({ width: SHOWN.width * FACTOR, height: SHOWN.height * FACTOR, fit: "fill", kernel: "lanczos3" }).png({ compressionLevel: 1 }).toBuffer();
  return toDataUri(png);
}

/** Along one side, in captured pixels: what is cut out, and what is missing before and after it because the screen ends there. */
function cut(position: number, shown: number, logicalLength: number, capturedLength: number): { size: number; from: number; length: number; before: number; after: number } {
  const perLogical = capturedLength / logicalLength;
  const size = Math.max(1, Math.round(shown * perLogical));
  const start = Math.floor((position + 0.5) * perLogical - size / 2);
  const [from, to] = [Math.max(0, start), Math.min(capturedLength, start + size)];
  return { size, from, length: to - from, before: from - start, after: start + size - to };
}
