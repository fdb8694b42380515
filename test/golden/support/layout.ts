import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** A copy of a model folder (one float32 file) as MLX's converters store it: other names, kernels with their channels last. */
export class MlxCopy implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), "deskhand-layout-"));

  constructor(source: string, rename: (name: string) => string) {
    cpSync(source, this.dir, { recursive: true });
    const bytes = readFileSync(join(source, "model.safetensors"));
    const headerEnd = 8 + Number(bytes.readBigUInt64LE());
    const { __metadata__: _, ...entries } = JSON.parse(bytes.toString("utf8", 8, headerEnd)) as Record<string, Entry>;
    const data = Buffer.from(bytes.subarray(headerEnd));
    const header: Record<string, Entry> = {};
    for (const [name, entry] of Object.entries(entries)) {
      const [from, to] = entry.data_offsets;
      if (entry.shape.length === 4) entry.shape = channelsLast(data.subarray(from, to), entry.shape);
      header[rename(name)] = entry;
    }
    const text = Buffer.from(JSON.stringify(header));
    const padding = Buffer.alloc((8 - (text.length % 8)) % 8, " ");
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length + padding.length));
    writeFileSync(join(this.dir, "model.safetensors"), Buffer.concat([length, text, padding, data]));
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** `[O, C, H, W]` float32 in place to `[O, H, W, C]`. */
function channelsLast(bytes: Buffer, shape: number[]): number[] {
  const [out, channels, height, width] = shape as [number, number, number, number];
  const before = Buffer.from(bytes);
  const plane = height * width;
  for (let o = 0; o < out; o++) {
    for (let c = 0; c < channels; c++) for (let i = 0; i < plane; i++) before.copy(bytes, 4 * ((o * plane + i) * channels + c), 4 * ((o * channels + c) * plane + i), 4 * ((o * channels + c) * plane + i + 1));
  }
  return [out, height, width, channels];
}
