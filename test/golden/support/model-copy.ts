import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Json = Record<string, unknown>;

/** An entry of a safetensors header. */
export interface StoredTensor {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** A model folder like another, except for its config.json, the headers of its weight files and texts that are rewritten; everything else is a link. */
export class ModelCopy implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), "deskhand-model-"));
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
    for (const name of readdirSync(source)) {
      if (!statSync(join(source, name)).isDirectory()) symlinkSync(join(source, name), join(this.dir, name));
    }
  }

  /** The original's config.json. */
  config(): Json {
    return JSON.parse(readFileSync(join(this.#source, "config.json"), "utf8")) as Json;
  }

  writeConfig(config: Json): void {
    this.#replace("config.json", JSON.stringify(config));
  }

  /** Changes the text of one of the original's files. */
  rewrite(name: string, change: (text: string) => string): void {
    this.#replace(name, change(readFileSync(join(this.#source, name), "utf8")));
  }

  /** The original's tensors, of all its files. */
  weights(): Record<string, StoredTensor> {
    return Object.assign({}, ...this.#files().map((name) => this.#read(name).tensors)) as Record<string, StoredTensor>;
  }

  /** Changes the header of every weight file; the data stay, so shapes have to keep their sizes. */
  changeWeights(change: (tensors: Record<string, StoredTensor>) => void): void {
    for (const name of this.#files()) {
      const { tensors, data } = this.#read(name);
      change(tensors);
      this.#replace(name, written(tensors, data));
    }
  }

  /** Everything as in the original again. */
  restore(): void {
    for (const name of readdirSync(this.dir)) {
      rmSync(join(this.dir, name));
      symlinkSync(join(this.#source, name), join(this.dir, name));
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  #files(): string[] {
    return readdirSync(this.#source).filter((file) => file.endsWith(".safetensors")).sort();
  }

  #read(name: string): { tensors: Record<string, StoredTensor>; data: Buffer } {
    const bytes = readFileSync(join(this.#source, name));
    const dataAt = 8 + Number(bytes.readBigUInt64LE());
    const { __metadata__: _, ...tensors } = JSON.parse(bytes.toString("utf8", 8, dataAt)) as Record<string, StoredTensor>;
    return { tensors, data: bytes.subarray(dataAt) };
  }

  #replace(name: string, content: string | Buffer): void {
    rmSync(join(this.dir, name), { force: true });
    writeFileSync(join(this.dir, name), content);
  }
}

function written(tensors: Record<string, StoredTensor>, data: Buffer): Buffer {
  const header = Buffer.from(JSON.stringify(tensors));
  const padding = Buffer.alloc((8 - (header.length % 8)) % 8, " ");
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length + padding.length));
  return Buffer.concat([length, header, padding, data]);
}
