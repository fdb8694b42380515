import { webcrypto } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { DeskhandError } from "../../core/errors.js";
import { evaluated } from "./eval.js";
import { native, type DType } from "./native.js";
import type { Tensor } from "./tensor.js";

/** MLX's data types by the format's names. */
const NAMES: Readonly<Record<DType, string>> = {
  bool: "BOOL",
  uint8: "U8",
  int8: "I8",
  uint16: "U16",
  int16: "I16",
  uint32: "U32",
  int32: "I32",
  uint64: "U64",
  int64: "I64",
  float16: "F16",
  bfloat16: "BF16",
  float32: "F32",
  float64: "F64",
};

/** What one call to the system writes at most; some take no more than 2 GB. */
const BLOCK_BYTES = 1 << 26;

export interface TensorHead {
  name: string;
  dtype: DType;
  shape: readonly number[];
  nbytes: number;
}

/** The last tensor of a sealed file, `[1 + tensors, 32]`: SHA-256 of what stands before the first tensor, and of each tensor's bytes. */
export const SEAL = "sha256";
export const DIGEST_BYTES = 32;

export interface SafetensorsWriterOptions {
  metadata?: Readonly<Record<string, string>>;
  /** Whether digests of everything follow as the tensor `SEAL`, for files that may come to harm. */
  isSealed?: boolean;
  /** Permissions of the file. */
  mode?: number;
}

/** On another thread. */
export async function digestOf(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await webcrypto.subtle.digest("SHA-256", bytes));
}

/** What a file's header says of a tensor; known before it is computed. */
export function headOf(name: string, { dtype, shape, nbytes }: Tensor): TensorHead {
  return { name, dtype, shape, nbytes };
}

/**
 * Writes a safetensors file tensor by tensor, so that one at a time is in memory: the header, which names them all, comes first.
 * Tensors follow in its order; `close` refuses a file that lacks some.
 */
export class SafetensorsWriter {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #heads: readonly TensorHead[];
  /** Of a sealed file. */
  readonly #digests: Uint8Array[] | undefined;
  #written = 0;

  private constructor(file: FileHandle, path: string, heads: readonly TensorHead[], isSealed: boolean) {
    this.#file = file;
    this.#path = path;
    this.#heads = heads;
    this.#digests = isSealed ? [] : undefined;
  }

  /** Makes a new file and writes its header. */
  static async create(path: string, heads: readonly TensorHead[], { metadata = {}, isSealed = false, mode }: SafetensorsWriterOptions = {}): Promise<SafetensorsWriter> {
    const header: Record<string, unknown> = { __metadata__: metadata };
    let end = 0;
    const sealRows = 1 + heads.length;
    const seal: TensorHead[] = isSealed ? [{ name: SEAL, dtype: "uint8", shape: [sealRows, DIGEST_BYTES], nbytes: sealRows * DIGEST_BYTES }] : [];
    for (const { name, dtype, shape, nbytes } of [...heads, ...seal]) header[name] = { dtype: NAMES[dtype], shape, data_offsets: [end, (end += nbytes)] };
    const json = Buffer.from(JSON.stringify(header));
    // Padded as the reference writer does, so that tensors are aligned and can be used where they lie.
    const text = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, " ")]);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    const file = await open(path, "wx", mode);
    const writer = new SafetensorsWriter(file, path, heads, isSealed);
    try {
      await writer.#bytes(Buffer.concat([length, text]));
      return writer;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Computes and writes the next tensor; it stays the caller's. */
  async write(name: string, tensor: Tensor): Promise<void> {
    const head = this.#heads[this.#written];
    if (head?.name !== name || head.dtype !== tensor.dtype || head.nbytes !== tensor.nbytes) {
      throw new DeskhandError("internal", `Expected ${head?.name ?? "no more tensors"} (${head?.dtype}, ${head?.nbytes} bytes) in ${this.#path} but received ${name} (${tensor.dtype}, ${tensor.nbytes} bytes).`);
    }
    await evaluated(tensor);
    await this.#bytes(new Uint8Array(native.read(tensor.handle)));
    this.#written++;
  }

  /** Makes sure that the file is whole and on the disk, and lets go of it. */
  async close(): Promise<void> {
    try {
      const next = this.#heads[this.#written];
      if (next !== undefined) throw new DeskhandError("internal", `Expected ${this.#heads.length} tensors in ${this.#path} but it ends before ${next.name}.`);
      if (this.#digests !== undefined) await this.#out(Buffer.concat(this.#digests));
      await this.#file.sync();
    } finally {
      await this.#file.close();
    }
  }

  /** Lets go of a file that is not to be finished. */
  async abandon(): Promise<void> {
    await this.#file.close();
  }

  async #bytes(bytes: Uint8Array): Promise<void> {
    await this.#out(bytes);
    this.#digests?.push(await digestOf(bytes));
  }

  async #out(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await this.#file.write(bytes, at, Math.min(BLOCK_BYTES, bytes.length - at))).bytesWritten;
  }
}
