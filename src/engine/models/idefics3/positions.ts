/**
 * Which learned position each of `count` patches along an edge takes, when `known` were learned: its place as a fraction of the edge,
 * between boundaries at k / known. Fractions and boundaries are compared in single precision, as the reference does: with as many
 * patches as known positions a patch still falls one short where its fraction rounds down.
 */
export function positionBuckets(count: number, known: number): Int32Array<ArrayBuffer> {
  const step = Math.fround(1 / count);
  const last = Math.fround(1 - 1e-6);
  const boundaries = Float32Array.from({ length: known - 1 }, (_, i) => 1 / known + i * (1 / known));
  return Int32Array.from({ length: count }, (_, i) => {
    const fraction = Math.min(Math.fround(i * step), last);
    let bucket = 0;
    while (bucket < boundaries.length && boundaries[bucket]! <= fraction) bucket++;
    return bucket;
  });
}
