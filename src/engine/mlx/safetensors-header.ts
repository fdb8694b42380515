import { open, type FileHandle } from "node:fs/promises";
import { z } from "zod";
import { DeskhandError, messageOf } from "../../core/errors.js";
import type { DType } from "./native.js";

/** The format's own limit on its JSON header (100 MB in the reference implementation). */
const MAX_HEADER_BYTES = 100_000_000;

/** safetensors names → MLX's; the 8-bit floats travel as their bytes. */
const DTYPES: Readonly<Record<string, DType>> = {
  BOOL: "bool",
  U8: "uint8",
  I8: "int8",
  U16: "uint16",
  I16: "int16",
  U32: "uint32",
  I32: "int32",
  U64: "uint64",
  I64: "int64",
  F16: "float16",
  BF16: "bfloat16",
  F32: "float32",
  F64: "float64",
  F8_E4M3: "uint8",
};

const BYTES: Readonly<Record<DType, number>> = {
  bool: 1,
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  float16: 2,
  bfloat16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  uint64: 8,
  int64: 8,
  float64: 8,
};

const Entry = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

export interface TensorEntry {
  name: string;
  dtype: DType;
  shape: readonly number[];
  /** Where its bytes start in the file. */
  offset: number;
  nbytes: number;
}

export interface SafetensorsHeader {
  entries: ReadonlyMap<string, TensorEntry>;
  metadata: unknown;
  /** Everything before the first tensor. */
  bytes: Uint8Array;
}

/** Opens a file to read. */
export async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (cause) {
    throw new DeskhandError("invalid_model", `Expected a safetensors file at ${path} but received: ${messageOf(cause)}. Get it again.`, { cause });
  }
}

/**
 * Reads a file's header and checks every entry against the file's size.
 * @throws DeskhandError `invalid_model` when the file is truncated or its header is not what the format says.
 */
export async function readHeader(path: string, file: FileHandle): Promise<SafetensorsHeader> {
  const sizeBytes = (await file.stat()).size;
  const prefix = Buffer.alloc(8);
  const { bytesRead } = await file.read(prefix, 0, 8, 0);
  if (bytesRead < 8) throw invalid(path, `expected at least 8 bytes but the file has ${sizeBytes}`);
  const length = prefix.readBigUInt64LE();
  if (length > BigInt(MAX_HEADER_BYTES)) throw invalid(path, `expected a header of at most ${MAX_HEADER_BYTES} bytes but its length field says ${length}`);
  const dataStart = 8 + Number(length);
  if (dataStart > sizeBytes) throw invalid(path, `expected a header of ${length} bytes but the file ends after ${sizeBytes} bytes`);
  const text = Buffer.alloc(Number(length));
  await file.read(text, 0, text.length, 8);
  let header: unknown;
  try {
    header = JSON.parse(text.toString("utf8"));
  } catch (cause) {
    throw invalid(path, `expected a JSON header but received a syntax error (${messageOf(cause)})`, cause);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) throw invalid(path, "expected the header to be a JSON object");
  const { __metadata__: metadata, ...named } = header as Record<string, unknown>;
  const entries = new Map(Object.entries(named).map(([name, raw]) => [name, checkEntry(path, name, raw, dataStart, sizeBytes)]));
  return { entries, metadata, bytes: Buffer.concat([prefix, text]) };
}

function checkEntry(path: string, name: string, raw: unknown, dataStart: number, sizeBytes: number): TensorEntry {
  const parsed = Entry.safeParse(raw);
  if (!parsed.success) throw invalid(path, `expected tensor ${name} to have dtype, shape and data_offsets but received ${JSON.stringify(raw).slice(0, 200)}`);
  const { dtype: given, shape, data_offsets } = parsed.data;
  const dtype = DTYPES[given];
  if (dtype === undefined) throw invalid(path, `expected the dtype of tensor ${name} to be one of ${Object.keys(DTYPES).join(", ")} but received ${given}`);
  const [begin, end] = data_offsets;
  const bytes = shape.reduce((product, dim) => product * dim, BYTES[dtype]);
  if (end - begin !== bytes) {
    throw invalid(path, `expected tensor ${name} (${given} [${shape.join(", ")}]) to take ${bytes} bytes but its offsets [${begin}, ${end}] span ${end - begin}`);
  }
  if (dataStart + end > sizeBytes) {
    throw invalid(path, `expected tensor ${name} inside the file but its bytes end at ${dataStart + end} and the file at ${sizeBytes}; the file is truncated`);
  }
  return { name, dtype, shape, offset: dataStart + begin, nbytes: bytes };
}

export function invalid(path: string, what: string, cause?: unknown): DeskhandError {
  return new DeskhandError("invalid_model", `${path} is not a valid safetensors file: ${what}. Get it again.`, { cause });
}
