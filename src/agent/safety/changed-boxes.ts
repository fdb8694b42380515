import type { Screenshot } from "../computer/computer.js";

/** Changes closer than this belong together: letters of a line do, a clock in the corner and a field do not. Captured pixels. */
const TILE_PX = 16;

/** In captured pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Boxes around everything that differs between two frames of one size, one for each group of changes. */
export function changedBoxes(a: Screenshot, b: Screenshot): Box[] {
  const { widthPx, heightPx } = b;
  const columns = Math.ceil(widthPx / TILE_PX);
  const [before, after] = [solidPixels(a), solidPixels(b)];
  /** The extent of the changes in each tile that has some. */
  const tiles = new Map<number, Extent>();
  for (let y = 0, at = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++, at++) {
      if (before[at] === after[at]) continue;
      const tile = Math.floor(y / TILE_PX) * columns + Math.floor(x / TILE_PX);
      tiles.set(tile, join(tiles.get(tile), { left: x, right: x, top: y, bottom: y }));
    }
  }
  const boxes: Box[] = [];
  while (tiles.size > 0) {
    const { left, top, right, bottom } = takeGroup(tiles, columns);
    boxes.push({ left, top, width: right - left + 1, height: bottom - top + 1 });
  }
  return boxes;
}

interface Extent {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function join(a: Extent | undefined, b: Extent): Extent {
  if (!a) return b;
  return { left: Math.min(a.left, b.left), right: Math.max(a.right, b.right), top: Math.min(a.top, b.top), bottom: Math.max(a.bottom, b.bottom) };
}

/** Takes out a tile and all that are connected with it, over at most one tile that has not changed. */
function takeGroup(tiles: Map<number, Extent>, columns: number): Extent {
  const [first] = tiles.keys();
  const open = [first!];
  let group: Extent | undefined;
  for (let tile = open.pop(); tile !== undefined; tile = open.pop()) {
    const extent = tiles.get(tile);
    if (!extent) continue;
    tiles.delete(tile);
    group = join(group, extent);
    const column = tile % columns;
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) if (column + dx >= 0 && column + dx < columns) open.push(tile + dy * columns + dx);
    }
  }
  return group!;
}

/** RGBA bytes as one number a pixel, in a copy with all pixels opaque: X servers leave the alpha byte undefined. */
export function solidPixels({ data, widthPx, heightPx }: Screenshot): Uint32Array {
  const bytes = new Uint8Array(widthPx * heightPx * 4);
  bytes.set(data.subarray(0, bytes.length));
  for (let at = 3; at < bytes.length; at += 4) bytes[at] = 255;
  return new Uint32Array(bytes.buffer);
}
