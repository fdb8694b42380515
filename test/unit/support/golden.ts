import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** A path below `test/golden/fixtures`, whose files the reference implementations wrote. */
export function goldenPath(path: string): string {
  return fileURLToPath(new URL(`../../golden/fixtures/${path}`, import.meta.url));
}

export async function goldenJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(goldenPath(path), "utf8")) as T;
}

export interface GoldenTensor {
  dtype: string;
  shape: number[];
  bytes: Uint8Array;
}

/** All tensors of a safetensors file, by name. */
export async function goldenTensors(path: string): Promise<Map<string, GoldenTensor>> {
  const file = await readFile(goldenPath(path));
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + headerLength)) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const tensors = new Map<string, GoldenTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    tensors.set(name, { dtype, shape, bytes: file.subarray(8 + headerLength + data_offsets[0], 8 + headerLength + data_offsets[1]) });
  }
  return tensors;
}
