import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { add, bestDevice, evaluate, liveTensors, memoryUse, openSafetensors, scope, slice } from "../../src/engine/mlx/index.js";

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "deskhand-safetensors-"))));
afterAll(() => rm(dir, { recursive: true }));

/** Writes a file by hand, right or wrong. */
async function file(name: string, header: Record<string, unknown> | string, data: Uint8Array = new Uint8Array()): Promise<string> {
  const json = typeof header === "string" ? header : JSON.stringify(header);
  // The data starts aligned, as the reference writer makes it.
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = join(dir, name);
  await writeFile(path, Buffer.concat([length, text, data]));
  return path;
}

const bytes = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

describe("openSafetensors", () => {
  it.each<[string, ArrayBufferView, string, number[]]>([
    ["F32", new Float32Array([1.5, -2]), "float32", [1.5, -2]],
    ["F64", new Float64Array([1.25, -2]), "float64", [1.25, -2]],
    ["F16", new Uint16Array([0x3c00, 0xc000]), "float16", [1, -2]],
    ["BF16", new Uint16Array([0x3f80, 0xc000]), "bfloat16", [1, -2]],
    ["U8", new Uint8Array([1, 255]), "uint8", [1, 255]],
    ["I8", new Int8Array([-1, 127]), "int8", [-1, 127]],
    ["U16", new Uint16Array([1, 65535]), "uint16", [1, 65535]],
    ["I16", new Int16Array([-1, 300]), "int16", [-1, 300]],
    ["U32", new Uint32Array([1, 4294967295]), "uint32", [1, 4294967295]],
    ["I32", new Int32Array([-1, 70000]), "int32", [-1, 70000]],
    ["U64", new BigUint64Array([1n, 5_000_000_000n]), "uint64", [1, 5_000_000_000]],
    ["I64", new BigInt64Array([-1n, 5_000_000_000n]), "int64", [-1, 5_000_000_000]],
    ["BOOL", new Uint8Array([1, 0]), "bool", [1, 0]],
  ])("reads %s", async (dtype, data, expected, values) => {
    // A one-byte tensor in front leaves the second one unaligned.
    for (const [name, offset] of [["aligned", 0], ["unaligned", 1]] as const) {
      const first: Record<string, Entry> = offset === 0 ? {} : { pad: { dtype: "U8", shape: [1], data_offsets: [0, 1] } };
      const path = await file(`${dtype}-${name}`, { ...first, x: { dtype, shape: [2], data_offsets: [offset, offset + data.byteLength] } }, Buffer.concat([Buffer.alloc(offset), bytes(data)]));
      const baseline = liveTensors();
      const opened = await openSafetensors(path);
      using x = opened.read("x");
      opened.close();
      expect(x.dtype).toBe(expected);
      expect(x.toArray()).toEqual(values);
      expect(liveTensors()).toBe(baseline + 1);
    }
  });

  it("uses aligned weights where they lie in the file, and never writes to it", async () => {
    const data = Float32Array.from({ length: 1 << 18 }, (_, i) => i);
    const path = await file("large", { x: { dtype: "F32", shape: [data.length], data_offsets: [0, data.byteLength] } }, bytes(data));
    const opened = await openSafetensors(path);
    const before = memoryUse().activeBytes;
    const x = opened.read("x");
    evaluate(x);
    opened.close();
    if (bestDevice() === "cpu") expect(memoryUse().activeBytes).toBe(before);
    // Given up and alone: MLX may reuse the memory for the result, which must stay in this process.
    using y = scope(() => add(x.alias(), 1));
    x.dispose();
    expect(slice(y, 0, -1).item()).toBe(data.length);
    const again = await openSafetensors(path);
    using z = again.read("x");
    again.close();
    expect(slice(z, 0, -1).item()).toBe(data.length - 1);
  });

  it("reads an empty tensor and passes over metadata", async () => {
    const opened = await openSafetensors(await file("empty", { __metadata__: { format: "pt" }, x: { dtype: "F32", shape: [0, 4], data_offsets: [0, 0] } }));
    using x = opened.read("x");
    opened.close();
    expect(x.shape).toEqual([0, 4]);
    expect([...opened.entries.keys()]).toEqual(["x"]);
  });

  const x = { dtype: "F32", shape: [2], data_offsets: [0, 8] as [number, number] };

  it.each<[string, () => Promise<string>, RegExp]>([
    ["a missing file", async () => join(dir, "nowhere"), /Expected a safetensors file at .*nowhere but received: ENOENT/],
    ["an empty file", async () => (await writeFile(join(dir, "none"), ""), join(dir, "none")), /expected at least 8 bytes but the file has 0/],
    ["a truncated file", async () => {
      const path = await file("truncated", { x }, new Uint8Array(8));
      await truncate(path, 60);
      return path;
    }, /expected (tensor x inside the file|a header of)/],
    ["truncated data", async () => file("short", { x }, new Uint8Array(4)), /tensor x inside the file but its bytes end at .* the file is truncated/],
    ["a header length beyond the file", async () => {
      const path = join(dir, "beyond");
      await writeFile(path, Buffer.from([255, 255, 0, 0, 0, 0, 0, 0, 123]));
      return path;
    }, /expected a header of 65535 bytes but the file ends after 9 bytes/],
    ["an absurd header length", async () => {
      const path = join(dir, "absurd");
      await writeFile(path, Buffer.alloc(16, 255));
      return path;
    }, /expected a header of at most 100000000 bytes/],
    ["a header that is not JSON", async () => file("text", "{oops"), /expected a JSON header but received a syntax error/],
    ["a header that is a list", async () => file("list", "[]"), /expected the header to be a JSON object/],
    ["an unknown dtype", async () => file("dtype", { x: { ...x, dtype: "F7" } }, new Uint8Array(8)), /expected the dtype of tensor x to be one of BOOL, .* but received F7/],
    ["a shape that does not fit its bytes", async () => file("shape", { x: { ...x, shape: [3] } }, new Uint8Array(8)), /tensor x \(F32 \[3\]\) to take 12 bytes but its offsets \[0, 8\] span 8/],
    ["an offset outside the file", async () => file("outside", { x: { ...x, data_offsets: [4096, 4104] } }, new Uint8Array(8)), /tensor x inside the file/],
    ["negative offsets", async () => file("negative", { x: { ...x, data_offsets: [-8, 0] } }, new Uint8Array(8)), /expected tensor x to have dtype, shape and data_offsets/],
  ])("refuses %s", async (_, make, message) => {
    await expect(openSafetensors(await make())).rejects.toThrow(message);
  });
});
