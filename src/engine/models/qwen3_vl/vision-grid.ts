/**
 * Where to sample a square table of `side` × `side` positions for each patch of the grid: four rows and their weights a patch,
 * both `[N · 4]`. Grid corners lie on table corners; float32 as in the reference (`F.interpolate`, bilinear, align_corners).
 */
export function bilinearTaps(order: Int32Array, height: number, width: number, side: number): { indices: Int32Array<ArrayBuffer>; weights: Float32Array<ArrayBuffer> } {
  const patches = order.length / 2;
  const indices = new Int32Array(4 * patches);
  const weights = new Float32Array(4 * patches);
  for (let patch = 0; patch < patches; patch++) {
    const [top, bottom, down] = tap(order[2 * patch] as number, height, side);
    const [left, right, across] = tap(order[2 * patch + 1] as number, width, side);
    const rows = [top, top, bottom, bottom];
    const columns = [left, right, left, right];
    for (let i = 0; i < 4; i++) {
      indices[4 * patch + i] = (rows[i] as number) * side + (columns[i] as number);
      weights[4 * patch + i] = (i < 2 ? 1 - down : down) * (i % 2 === 0 ? 1 - across : across);
    }
  }
  return { indices, weights };
}

/** The two table entries around grid line `i` of `count`, and how far it lies towards the second. */
function tap(i: number, count: number, side: number): [number, number, number] {
  const at = count === 1 ? 0 : Math.fround((i * (side - 1)) / (count - 1));
  const first = Math.min(Math.floor(at), side - 1);
  return [first, Math.min(first + 1, side - 1), Math.fround(at - first)];
}
