import type { WindowRun } from "../../nn/window-attention.js";

/** How a grid of h × w blocks is cut into square windows; those at the right and lower edges may be smaller. */
export interface WindowLayout {
  /** Blocks (row-major numbers) window by window, `[h · w]`. */
  order: Int32Array<ArrayBuffer>;
  /** Place of each block in `order`. */
  places: Int32Array<ArrayBuffer>;
  /** Runs of windows of one shape, in blocks: at most four. */
  runs: readonly WindowRun[];
}

/**
 * Windows of `side` × `side` blocks. Windows do not see each other, so that, other than in the reference, all of one shape lie
 * side by side and can be computed as a batch.
 */
export function windowLayout(height: number, width: number, side: number): WindowLayout {
  const order = new Int32Array(height * width);
  const places = new Int32Array(height * width);
  const runs: WindowRun[] = [];
  let place = 0;
  for (const rows of bands(height, side)) {
    for (const columns of bands(width, side)) {
      for (let top = rows.start; top < rows.end; top += rows.size) {
        for (let left = columns.start; left < columns.end; left += columns.size) {
          for (let y = top; y < top + rows.size; y++) {
            for (let x = left; x < left + columns.size; x++) {
              const block = y * width + x;
              places[block] = place;
              order[place++] = block;
            }
          }
        }
      }
      runs.push({ count: ((rows.end - rows.start) / rows.size) * ((columns.end - columns.start) / columns.size), size: rows.size * columns.size });
    }
  }
  return { order, places, runs };
}

/** Whole windows along one side of the grid, and what is left. */
function bands(length: number, side: number): { start: number; end: number; size: number }[] {
  const whole = length - (length % side);
  return [
    { start: 0, end: whole, size: side },
    { start: whole, end: length, size: length - whole },
  ].filter(({ start, end }) => end > start);
}
