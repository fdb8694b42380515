import sharp from "sharp";

/** Pictures that carry a number in their pixels: 4 × 4 blocks, black or white, which survive being compressed and made smaller. */

const BLOCKS = 4;
const BLOCK_PX = 32;
const SIDE_PX = BLOCKS * BLOCK_PX;

export async function numberedPicture(number: number): Promise<Buffer> {
  const pixels = Buffer.alloc(SIDE_PX * SIDE_PX);
  for (let y = 0; y < SIDE_PX; y++) for (let x = 0; x < SIDE_PX; x++) pixels[y * SIDE_PX + x] = (number >> (Math.floor(y / BLOCK_PX) * BLOCKS + Math.floor(x / BLOCK_PX))) & 1 ? 255 : 0;
  return sharp(pixels, { raw: { width: SIDE_PX, height: SIDE_PX, channels: 1 } }).jpeg({ quality: 90 }).toBuffer();
}

export async function numberIn(picture: Uint8Array): Promise<number> {
  const { data, info } = await sharp(picture).greyscale().raw().toBuffer({ resolveWithObject: true });
  const middle = (block: number, side: number): number => Math.floor(((block + 0.5) * side) / BLOCKS);
  let number = 0;
  for (let i = 0; i < BLOCKS * BLOCKS; i++) {
    const [x, y] = [middle(i % BLOCKS, info.width), middle(Math.floor(i / BLOCKS), info.height)];
    if ((data[(y * info.width + x) * info.channels] as number) > 127) number |= 1 << i;
  }
  return number;
}
