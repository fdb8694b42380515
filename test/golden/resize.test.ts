import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { decodeImage } from "../../src/engine/image/decode.js";
import { resizeBicubic } from "../../src/engine/image/resize.js";
import { readImageSource } from "../../src/engine/image/source.js";
import { FIXTURES } from "./support/golden.js";

// Which axis of a tall picture shrinks first is seen in its pixels: transformers' default processors (torchvision) always take the columns,
// Pillow since 13 the rows where the height shrinks much more. The engine follows the former.

it("shrinks a tall picture as transformers' default processors do, to within a level", async () => {
  const bytes = readFileSync(`${FIXTURES}resize/tall.safetensors`);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const { tall } = JSON.parse(bytes.toString("utf8", 8, start)) as { tall: { shape: [number, number, number]; data_offsets: [number, number] } };
  const [heightPx, widthPx] = tall.shape;
  const expected = bytes.subarray(start + tall.data_offsets[0], start + tall.data_offsets[1]);
  const { data } = resizeBicubic(await decodeImage(await readImageSource(`${FIXTURES}pictures/noise-64x224.png`)), { widthPx, heightPx });
  const differences = Array.from(data, (value, i) => Math.abs(value - expected[i]!));
  expect(differences).toHaveLength(expected.length);
  // PyTorch's weights have 16 bits, Pillow's and ours 22: that moves a value in a few hundred across a rounding. With the rows first it would
  // be a fifth of all.
  expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  expect(differences.filter((difference) => difference > 0).length).toBeLessThan(0.02 * differences.length);
});
