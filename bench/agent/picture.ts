import sharp from "sharp";
import type { Computer } from "../../src/index.js";

const WIDTH_PX = 400;

/** The screen now, small enough for a page with hundreds of them. */
export async function pictureOf(computer: Computer): Promise<string> {
  const { data, widthPx, heightPx } = await computer.capture();
  const picture = await sharp(data, { raw: { width: widthPx, height: heightPx, channels: 4 } }).removeAlpha().resize({ width: WIDTH_PX }).webp({ quality: 70 }).toBuffer();
  return `data:image/webp;base64,${picture.toString("base64")}`;
}
