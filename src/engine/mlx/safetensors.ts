import { native } from "./native.js";
import { invalid, openToRead, readHeader, type TensorEntry } from "./safetensors-header.js";
import { Tensor } from "./tensor.js";

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
  const file = await openToRead(path);
  const { entries } = await readHeader(path, file).finally(() => file.close());
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
