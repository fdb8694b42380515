import sharp from "sharp";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { Film } from "./frames.js";

/** All pictures of an animation are in memory at once. */
const MAX_PIXELS = 2 ** 28;

/**
 * Writes a film as an animated GIF or WebP, which repeats for ever.
 * @throws DeskhandError `invalid_argument` when it would be too large, `cancelled`.
 */
export async function writeAnimation(film: Film, format: "gif" | "webp", path: string, onFrame: () => void, signal?: AbortSignal): Promise<void> {
  const { width, height } = film.size;
  const most = Math.floor(MAX_PIXELS / (width * height));
  if (film.count > most) throw new DeskhandError("invalid_argument", `Expected at most ${most} pictures of ${width} × ${height} for a ${format === "gif" ? "GIF" : "WebP"} but the run has ${film.count}. Make an .mp4, or make it smaller with --width.`, { param: "out" });
  const pictures: Buffer[] = [];
  const delay: number[] = [];
  for await (const { pixels, ms } of film.frames()) {
    throwIfAborted(signal);
    pictures.push(await sharp(pixels, { raw: { width, height, channels: 3 } }).png({ compressionLevel: 1 }).toBuffer());
    delay.push(ms);
    onFrame();
  }
  const joined = sharp(pictures, { join: { animated: true }, limitInputPixels: MAX_PIXELS });
  await (format === "gif" ? joined.gif({ delay, loop: 0, effort: 5 }) : joined.webp({ delay, loop: 0, nearLossless: true, quality: 60, effort: 3 })).toFile(path);
}
