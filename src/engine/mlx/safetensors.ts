import { open } from "node:fs/promises";
import { z } from "zod";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { native, type DType } from "./native.js";
import { Tensor } from "./tensor.js";

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
}

export interface SafetensorsFile {
  readonly path: string;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** A tensor on the mapped file: pages are read when first used. */
  read(name: string): Tensor;
  /** Lets go of the mapping; tensors read before keep it. */
  close(): void;
}

/**
 * Opens a safetensors file by memory mapping, after checking every entry against the file's size.
 * Format: 8-byte little-endian header length, JSON header, tensor bytes (github.com/huggingface/safetensors).
 * @throws DeskhandError `invalid_model` when the file is truncated or its header is not what the format says.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const { header, dataStart, sizeBytes } = await readHeader(path);
  const entries = new Map<string, TensorEntry>();
  for (const [name, raw] of Object.entries(header)) {
    if (name !== "__metadata__") entries.set(name, checkEntry(path, name, raw, dataStart, sizeBytes));
  }
  const mapping = native.mapFile(path);
  return {
    path,
    entries,
    read(name) {
      const entry = entries.get(name);
      if (entry === undefined) throw invalid(path, `expected a tensor named ${name} but the file has none`);
      return new Tensor(native.fromMapping(mapping, entry.offset, [...entry.shape], entry.dtype));
    },
    close() {
      native.closeMapping(mapping);
    },
  };
}

async function readHeader(path: string): Promise<{ header: Record<string, unknown>; dataStart: number; sizeBytes: number }> {
  let file;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw new DeskhandError("invalid_model", `Expected a safetensors file at ${path} but received: ${messageOf(cause)}. Download the model again.`, { cause });
  }
  try {
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
    return { header: header as Record<string, unknown>, dataStart, sizeBytes };
  } finally {
    await file.close();
  }
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
  return { name, dtype, shape, offset: dataStart + begin };
}

function invalid(path: string, what: string, cause?: unknown): DeskhandError {
  return new DeskhandError("invalid_model", `${path} is not a valid safetensors file: ${what}. Download the model again.`, { cause });
}
