import sharp from "sharp";
import { changedShare } from "../computer/pixels.js";
import type { Frame } from "./frame-slot.js";

/** Small enough that a camera's noise averages out, large enough for a hand. */
const WIDTH_CELLS = 48;
const HEIGHT_CELLS = 36;
/** Of 255: what noise, compression and a camera's own exposure leave between two pictures of the same scene. */
const TOLERANCE = 20;

/** What a frame looks like from afar. */
export type Scene = Uint8Array;

/** @throws when the frame cannot be decoded. */
export async function sceneOf({ jpeg }: Frame): Promise<Scene> {
  return sharp(jpeg).resize(WIDTH_CELLS, HEIGHT_CELLS, { fit: "fill", kernel: "cubic" }).removeAlpha().toColourspace("srgb").raw().toBuffer();
}

/** The part of the picture, from 0 to 1, that looks different. */
export function sceneChange(before: Scene, now: Scene): number {
  return changedShare(before, now, { channels: 3, tolerance: TOLERANCE });
}
