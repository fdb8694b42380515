import type { DecodedImage } from "./decode.js";

const CHANNELS = 3;

export interface PatchSizes {
  patchSize: number;
  temporalPatchSize: number;
  mergeSize: number;
}

/**
 * Frames `[H, W, 3]` of one size to patches, row-major `[t · H/P · W/P, 3 · T · P²]`, t the frames by T's: time by time in the order (block
 * row, block column, row in block, column in block), each `[3, T, P, P]`. The last frame, or a still picture, stands for frames that are missing.
 * @param levels the value of each of the 256 levels, a channel at a time: `[3, 256]`.
 */
export function cutTemporalPatches(frames: readonly DecodedImage[], { patchSize, temporalPatchSize, mergeSize }: PatchSizes, levels: Float32Array): Float32Array<ArrayBuffer> {
  const { widthPx, heightPx } = frames[0] as DecodedImage;
  const blockPx = patchSize * mergeSize;
  const plane = patchSize * patchSize;
  const out = new Float32Array(Math.ceil(frames.length / temporalPatchSize) * heightPx * widthPx * CHANNELS * temporalPatchSize);
  let o = 0;
  for (let first = 0; first < frames.length; first += temporalPatchSize) {
    const group = Array.from({ length: temporalPatchSize }, (_, t) => (frames[first + t] ?? frames.at(-1)) as DecodedImage);
    for (let blockY = 0; blockY < heightPx; blockY += blockPx) {
      for (let blockX = 0; blockX < widthPx; blockX += blockPx) {
        for (let patch = 0; patch < mergeSize * mergeSize; patch++) {
          const top = blockY + Math.floor(patch / mergeSize) * patchSize;
          const left = blockX + (patch % mergeSize) * patchSize;
          for (let channel = 0; channel < CHANNELS; channel++) {
            const table = channel << 8;
            for (let t = 0; t < temporalPatchSize; t++) {
              const { data } = group[t]!;
              if (t > 0 && group[t] === group[t - 1]) {
                out.copyWithin(o, o - plane, o);
                o += plane;
                continue;
              }
              for (let y = 0; y < patchSize; y++) {
                let from = ((top + y) * widthPx + left) * CHANNELS + channel;
                for (let x = 0; x < patchSize; x++, from += CHANNELS) out[o++] = levels[table + data[from]!]!;
              }
            }
          }
        }
      }
    }
  }
  return out;
}
