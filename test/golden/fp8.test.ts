import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { convert } from "../../src/engine/convert/convert.js";
import { scope, tensor } from "../../src/engine/mlx/index.js";
import { dequantizeFp8 } from "../../src/engine/nn/fp8.js";
import { loadEngine, logitsOf, promptOf } from "./support/engine.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";
import { ModelCopy } from "./support/model-copy.js";

// Weights in 8-bit floats. That they are PyTorch's numbers, models.test.ts shows on qwen3-fp8 (blocks, not all whole) and ministral3-fp8
// (one scale a matrix, and ranges of activations beside it).

it("reads the numbers of E4M3, down to the smallest and up to the largest", () => {
  // The format's own table: OCP 8-bit floating point specification 1.0, table 2.
  const table: [byte: number, value: number][] = [[0x00, 0], [0x01, 2 ** -9], [0x07, 7 * 2 ** -9], [0x08, 2 ** -6], [0x38, 1], [0x3c, 1.5], [0x7e, 448], [0x81, -(2 ** -9)], [0xb8, -1], [0xfe, -448]];
  const values = scope(() => dequantizeFp8("w.weight", tensor(Uint8Array.from(table, ([byte]) => byte), [1, table.length]), tensor(Float32Array.of(2), []), { quant_method: "fp8", weight_block_size: null }));
  expect(values.toArray()).toEqual(table.map(([, value]) => 2 * value));
  values.dispose();
});

it("refuses another number of scales than there are blocks", async () => {
  using copy = new ModelCopy(`${FIXTURES}qwen3-fp8/model`);
  copy.changeWeights((tensors) => {
    for (const [name, one] of Object.entries(tensors)) if (name.endsWith("q_proj.weight_scale_inv")) one.shape.reverse();
  });
  await expect(loadEngine(copy.dir)).rejects.toThrow(/q_proj\.weight_scale_inv of shape \[3, 2\].*weight_block_size.*received \[2, 3\]/);
});

it("refuses scales that config.json says nothing of", async () => {
  using copy = new ModelCopy(`${FIXTURES}qwen3-fp8/model`);
  const { quantization_config: _, ...config } = copy.config();
  copy.writeConfig(config);
  await expect(loadEngine(copy.dir)).rejects.toThrow(/weight_scale_inv/);
});

it("is converted as the plain model that it stands for", async () => {
  const golden = readGolden("qwen3-fp8");
  const one = golden.cases[0]!;
  const out = join(mkdtempSync(join(tmpdir(), "deskhand-fp8-")), "plain");
  try {
    await convert(`${FIXTURES}qwen3-fp8/model`, { out });
    const engine = await loadEngine(out);
    using architecture = engine.architecture;
    using logits = logitsOf(architecture, await promptOf(engine, one), golden.require(`${one.name}.logit_positions`).data as Int32Array<ArrayBuffer>);
    expect(relativeError(logits.toArray(), golden.require(`${one.name}.logits`).data)).toBeLessThan(1e-4);
  } finally {
    rmSync(join(out, ".."), { recursive: true });
  }
});
