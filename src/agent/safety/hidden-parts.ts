import sharp from "sharp";
import type { ScreenPart } from "../coordinates.js";

/** Parts of the screen that people and recordings must not see: where secrets were typed. */
export class HiddenParts {
  readonly #parts: ScreenPart[] = [];

  /** Covers a part of the screen in all further pictures. */
  hide(part: ScreenPart): void {
    this.#parts.push(part);
  }

  /** A PNG with everything hidden painted over. @param shown what part of the screen is on it */
  async cover(png: Buffer, shown: ScreenPart): Promise<Buffer> {
    if (this.#parts.length === 0) return png;
    const { width, height } = await sharp(png).metadata();
    const across = (at: number) => Math.max(0, Math.min(1, (at - shown.left) / (shown.right - shown.left))) * width;
    const down = (at: number) => Math.max(0, Math.min(1, (at - shown.top) / (shown.bottom - shown.top))) * height;
    const covers = this.#parts.flatMap((part) => {
      const [left, top] = [Math.floor(across(part.left)), Math.floor(down(part.top))];
      const size = { width: Math.ceil(across(part.right)) - left, height: Math.ceil(down(part.bottom)) - top };
      return size.width > 0 && size.height > 0 ? [{ input: { create: { ...size, channels: 3 as const, background: "black" } }, left, top }] : [];
    });
    return covers.length === 0 ? png : sharp(png).composite(covers).png({ compressionLevel: 1 }).toBuffer();
  }
}
