import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ConvertOptions } from "../../../src/engine/convert/options.js";
import type { ChatMessage, ContentPart } from "../../../src/engine/messages.js";

export const FIXTURES = fileURLToPath(new URL("../fixtures/", import.meta.url));

export interface GoldenCase {
  name: string;
  messages: ChatMessage[];
  prompt: string;
  token_ids: number[];
  rope_delta?: number;
  greedy_token_ids: number[];
  greedy_text: string;
}

interface GoldenFile {
  oracle: string;
  /** Of a fixture without a folder of its own: whose model is converted, how, and a hash of the weights that the oracle had. */
  converted?: { from: string; options: Omit<ConvertOptions, "out">; weights: string };
  cases: GoldenCase[];
}

type Elements = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

export interface Golden extends GoldenFile {
  tensor(name: string): { data: Elements; shape: number[] } | undefined;
  require(name: string): { data: Elements; shape: number[] };
}

/** A fixture's golden.json and golden.safetensors, read without the engine: what is compared must not depend on what is tested. */
export function readGolden(name: string): Golden {
  const json = JSON.parse(readFileSync(`${FIXTURES}${name}/golden.json`, "utf8")) as GoldenFile;
  const bytes = readFileSync(`${FIXTURES}${name}/golden.safetensors`);
  const headerEnd = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, headerEnd)) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const tensor: Golden["tensor"] = (key) => {
    const entry = header[key];
    if (entry === undefined) return undefined;
    const data = Uint8Array.from(bytes.subarray(headerEnd + entry.data_offsets[0], headerEnd + entry.data_offsets[1])).buffer;
    const elements = entry.dtype === "F32" ? new Float32Array(data) : entry.dtype === "I32" ? new Int32Array(data) : new Uint8Array(data);
    return { data: elements, shape: entry.shape };
  };
  return {
    oracle: json.oracle,
    converted: json.converted,
    cases: json.cases.map((one) => ({ ...one, messages: one.messages.map(withPaths) })),
    tensor,
    require: (key) => {
      const found = tensor(key);
      if (found === undefined) throw new Error(`golden ${name} has no ${key}`);
      return found;
    },
  };
}

function withPaths(message: ChatMessage): ChatMessage {
  if (typeof message.content === "string") return message;
  const content = message.content.map((part): ContentPart => {
    if (part.type === "image") return { type: "image", image: `${FIXTURES}${part.image as string}` };
    return part.type === "audio" ? { type: "audio", audio: `${FIXTURES}${part.audio as string}` } : part;
  });
  return { ...message, content };
}

/** The largest difference, as a part of the largest value. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`expected ${expected.length} values but received ${actual.length}`);
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs((actual[i] as number) - (expected[i] as number)));
    largest = Math.max(largest, Math.abs(expected[i] as number));
  }
  return difference / largest;
}

/** Root of the mean squared difference. */
export function rmsError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`expected ${expected.length} values but received ${actual.length}`);
  let sum = 0;
  for (let i = 0; i < expected.length; i++) sum += ((actual[i] as number) - (expected[i] as number)) ** 2;
  return Math.sqrt(sum / expected.length);
}
