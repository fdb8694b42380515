import sharp from "sharp";
import type { Point } from "./actions.js";
import type { Display, Screenshot } from "./computer/computer.js";
import type { ScreenPart } from "./coordinates.js";

/** The part that is shown, of each side of the screen, and how much larger. */
const SHARE = 1 / 3;
const FACTOR = 2;

/** A place's surroundings, enlarged. @param at in logical desktop pixels */
export async function enlarge({ data, widthPx, heightPx }: Screenshot, display: Pick<Display, "x" | "y" | "width" | "height">, at: Point): Promise<{ png: Buffer; shown: ScreenPart }> {
  const [width, height] = [Math.max(1, Math.round(widthPx * SHARE)), Math.max(1, Math.round(heightPx * SHARE))];
  const start = (centre: number, size: number, whole: number) => Math.max(0, Math.min(whole - size, Math.round(centre - size / 2)));
  const left = start(((at.x - display.x) * widthPx) / display.width, width, widthPx);
  const top = start(((at.y - display.y) * heightPx) / display.height, height, heightPx);
  const part = sharp(data, { raw: { width: widthPx, height: heightPx, channels: 4 } }).removeAlpha().extract({ left, top, width, height });
  const png = await part.resize({ width: width * FACTOR, height: height * FACTOR, kernel: "lanczos3" }).png({ compressionLevel: 1 }).toBuffer();
  return { png, shown: { left: left / widthPx, top: top / heightPx, right: (left + width) / widthPx, bottom: (top + height) / heightPx } };
}
