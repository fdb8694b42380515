import sharp from "sharp";
import type { CoordinateChain, ModelSpace, Size } from "./coordinates.js";
import type { Computer, Screenshot } from "./computer/computer.js";
import type { PictureSize } from "./dialects/dialect.js";

/** The screen as a model gets to see it. */
export interface Observation {
  /** As captured. */
  shot: Screenshot;
  png: Buffer;
  dataUri: string;
  chain: CoordinateChain;
  captureMs: number;
  encodeMs: number;
}

/** Captures the display and makes of it the picture this model wants. */
export async function observe(computer: Computer, wanted: { pictureSize: PictureSize; space: ModelSpace }, signal: AbortSignal): Promise<Observation> {
  const { x, y, width, height, scale } = await computer.display();
  const startedAt = performance.now();
  const shot = await computer.capture(signal);
  const capturedAt = performance.now();
  const captured = { width: shot.widthPx, height: shot.heightPx };
  const sent = sentSize(captured, wanted.pictureSize);
  const same = sent.width === captured.width && sent.height === captured.height;
  // X servers leave the alpha byte undefined.
  const opaque = sharp(shot.data, { raw: { ...captured, channels: 4 } }).removeAlpha();
  // Level 1 is as lossless as any, and the bytes seldom leave the machine.
  const png = await (same ? opaque : opaque.resize({ ...sent, fit: "fill" })).png({ compressionLevel: 1 }).toBuffer();
  return {
    shot,
    png,
    dataUri: `data:image/png;base64,${png.toString("base64")}`,
    chain: { space: wanted.space, sent, captured, display: { x, y, width, height, scale } },
    captureMs: capturedAt - startedAt,
    encodeMs: performance.now() - capturedAt,
  };
}

/** The size in which a captured picture is sent. */
export function sentSize(captured: Size, wanted: PictureSize): Size {
  const { multiple, minPixels, maxPixels } = wanted;
  const toMultiple = (side: number, round: (value: number) => number) => Math.max(multiple, round(side / multiple) * multiple);
  const width = toMultiple(captured.width, Math.round);
  const height = toMultiple(captured.height, Math.round);
  const scaled = (pixels: number, round: (value: number) => number): Size => {
    const factor = Math.sqrt(pixels / (captured.width * captured.height));
    return { width: toMultiple(captured.width * factor, round), height: toMultiple(captured.height * factor, round) };
  };
  if (width * height > maxPixels) return scaled(maxPixels, Math.floor);
  if (width * height < minPixels) return scaled(minPixels, Math.ceil);
  return { width, height };
}
