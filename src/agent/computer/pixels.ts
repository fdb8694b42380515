import type { Screenshot } from "./computer.js";

/** Whether every pixel (RGBA) is black. */
export function isBlack({ data }: Screenshot): boolean {
  for (let i = 0; i < data.length; i += 4) if (data[i] !== 0 || data[i + 1] !== 0 || data[i + 2] !== 0) return false;
  return true;
}

/**
 * The part of all pixels in which a colour differs by more than `tolerance`. Two pictures of one size, packed, with so many bytes a
 * pixel; a fourth one, alpha, does not count.
 */
export function changedShare(a: Uint8Array, b: Uint8Array, { channels, tolerance = 0 }: { channels: 3 | 4; tolerance?: number }): number {
  const differs = (i: number): boolean => Math.abs((a[i] as number) - (b[i] as number)) > tolerance;
  let changed = 0;
  for (let i = 0; i < a.length; i += channels) if (differs(i) || differs(i + 1) || differs(i + 2)) changed += 1;
  return (changed * channels) / a.length;
}

/** Rows of `byteWidth` bytes, BGRX, to packed opaque RGBA. The X byte is not alpha: X11 leaves it 0. */
export function rgbaFromBgra(bgra: Uint8Array, widthPx: number, heightPx: number, byteWidth: number): Uint8Array {
  // One number a pixel (every system this runs on is little-endian) is several times faster than four bytes.
  const pixels = new Uint32Array(widthPx * heightPx);
  const bytes = new Uint8Array(pixels.buffer);
  for (let y = 0; y < heightPx; y++) bytes.set(bgra.subarray(y * byteWidth, y * byteWidth + widthPx * 4), y * widthPx * 4);
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i] ?? 0;
    pixels[i] = ((pixel & 0xff) << 16) | (pixel & 0xff00) | ((pixel >>> 16) & 0xff) | 0xff000000;
  }
  return bytes;
}
