import sharp from "sharp";
import type { Point } from "./actions.js";
import type { Display, Screenshot } from "./computer/computer.js";

/** The part that is shown, of each side of the screen, and how much larger. */
const SHARE = 1 / 3;
const FACTOR = 2;

/** A place's surroundings, enlarged, as a PNG's data URI. @param at in logical desktop pixels */
export async function enlarge({ data, widthPx, heightPx }: Screenshot, display: Display, at: Point): Promise<string> {
  const [width, height] = [Math.max(1, Math.round(widthPx * SHARE)), Math.max(1, Math.round(heightPx * SHARE))];
  const start = (centre: number, size: number, whole: number) => Math.max(0, Math.min(whole - size, Math.round(centre - size / 2)));
  const left = start(((at.x - display.x) * widthPx) / display.width, width, widthPx);
  const top = start(((at.y - display.y) * heightPx) / display.height, height, heightPx);
  const part = sharp(data, { raw: { width: widthPx, height: heightPx, channels: 4 } }).removeAlpha().extract({ left, top, width, height });
  const png = await part.resize({ width: width * FACTOR, height: height * FACTOR, kernel: "lanczos3" }).png({ compressionLevel: 1 }).toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}
