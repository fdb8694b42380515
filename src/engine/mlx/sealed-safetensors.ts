import type { FileHandle } from "node:fs/promises";
import { native } from "./native.js";
import { invalid, openToRead, readHeader, type TensorEntry } from "./safetensors-header.js";
import { DIGEST_BYTES, digestOf, SEAL } from "./safetensors-writer.js";
import { Tensor } from "./tensor.js";

/**
 * A safetensors file whose last tensor holds digests of all others. Unlike weights it may have come to harm, or do so while it is open: it is
 * read into memory and checked, never mapped.
 */
export interface SealedSafetensors extends AsyncDisposable {
  readonly path: string;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: unknown;
  /** A tensor, after its bytes were found to be those that were written. Reading and checking run on other threads. */
  read(name: string): Promise<Tensor>;
}

/** @throws DeskhandError `invalid_model` when the header is not what was written; `read` does so for a tensor. */
export async function openSealed(path: string): Promise<SealedSafetensors> {
  const file = await openToRead(path);
  try {
    const { entries, metadata, bytes } = await readHeader(path, file);
    const names = [...entries.keys()];
    const seal = entries.get(SEAL);
    if (seal === undefined || names.at(-1) !== SEAL || seal.nbytes !== names.length * DIGEST_BYTES) throw invalid(path, `expected digests of ${names.length - 1} tensors at its end`);
    const digests = await bytesOf(path, file, seal);
    const check = async (index: number, data: Uint8Array): Promise<void> => {
      const expected = digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
      if (!Buffer.from(await digestOf(data)).equals(expected)) throw invalid(path, `expected ${index === 0 ? "the header" : `tensor ${names[index - 1]}`} as it was written but it has changed`);
    };
    await check(0, bytes);
    return {
      path,
      entries,
      metadata,
      async read(name) {
        const entry = entries.get(name);
        if (entry === undefined) throw invalid(path, `expected a tensor named ${name} but the file has none`);
        const data = await bytesOf(path, file, entry);
        await check(1 + names.indexOf(name), data);
        return new Tensor(native.fromBuffer(data.buffer, data.byteOffset, [...entry.shape], entry.dtype));
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function bytesOf(path: string, file: FileHandle, { name, offset, nbytes }: TensorEntry): Promise<Uint8Array<ArrayBuffer>> {
  const data = new Uint8Array(nbytes);
  for (let at = 0; at < nbytes; ) {
    const { bytesRead } = await file.read(data, at, nbytes - at, offset + at);
    if (bytesRead === 0) throw invalid(path, `expected ${nbytes} bytes of tensor ${name} but the file ends after ${at}`);
    at += bytesRead;
  }
  return data;
}
