import { readFileSync, writeFileSync } from "node:fs";

export interface FloatTensor {
  shape: number[];
  data: Float32Array<ArrayBuffer>;
}

/** The tensors of a safetensors file that holds float32 only. */
export function readFloatTensors(path: string): Map<string, FloatTensor> {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const tensors = new Map<string, FloatTensor>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (dtype !== "F32") throw new Error(`expected ${name} to be F32 but it is ${dtype}`);
    const [from, to] = offsets;
    tensors.set(name, { shape, data: new Float32Array(Uint8Array.from(bytes.subarray(start + from, start + to)).buffer) });
  }
  return tensors;
}

export function writeFloatTensors(path: string, tensors: ReadonlyMap<string, FloatTensor>): void {
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const [name, { shape, data }] of tensors) header[name] = { dtype: "F32", shape, data_offsets: [offset, (offset += data.byteLength)] };
  const json = JSON.stringify(header);
  const text = Buffer.from(json + " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, ...Array.from(tensors.values(), ({ data }) => Buffer.from(data.buffer))]));
}
