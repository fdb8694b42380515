import { readdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import type { OnProgress } from "../../core/progress.js";
import { astype, disposeAll, equal, evaluated, isFloating, min, openSafetensors, retain, scope, slice, type DType, type SafetensorsFile, type Tensor } from "../mlx/index.js";
import { dequantizeFp8, FP8_ACTIVATIONS, FP8_SCALE, type Fp8Config } from "./fp8.js";

/** Path prefixes of one layout written in another's words: `[in the file, literal Hugging Face path]`. */
export type LayoutAliases = readonly (readonly [string, string])[];

export interface WeightsOptions {
  /** Floating-point weights become this type, which is also that of activations; `undefined` keeps each as it is stored. */
  dtype?: DType;
  /** Matrices stay as they are stored: for a device whose products read them so. */
  storedMatrices?: boolean;
  aliases?: LayoutAliases;
  /** How 8-bit floats are scaled, where there are any; their matrices are read as plain ones. */
  fp8?: Fp8Config;
}

/** Rows of tied matrices compared at a time. */
const TIED_ROWS = 4096;

const Index = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * The weights of a model folder, bound by their literal Hugging Face path when a module is constructed. A missing or misshapen
 * weight is an error that names the path and both shapes; `finish` refuses weights that nothing asked for.
 */
export class Weights {
  readonly #files: SafetensorsFile[];
  readonly #where = new Map<string, { file: SafetensorsFile; stored: string }>();
  readonly dtype: DType | undefined;
  readonly #storedMatrices: boolean;
  readonly #fp8: Fp8Config | undefined;
  readonly #taken: Tensor[] = [];
  readonly #unused: Set<string>;
  readonly #ignored = new Set<string>();
  readonly #tied: [path: string, to: string][] = [];
  /** Paths of layers whose matrix can be quantised, as far as modules have asked for them. */
  readonly layers = new Set<string>();

  private constructor(files: SafetensorsFile[], options: WeightsOptions) {
    this.#files = files;
    this.dtype = options.dtype;
    this.#storedMatrices = options.storedMatrices ?? false;
    for (const file of files) {
      for (const stored of file.entries.keys()) this.#where.set(canonical(stored, options.aliases ?? []), { file, stored });
    }
    this.#unused = new Set(this.#where.keys());
    this.#fp8 = options.fp8;
    if (this.#fp8 === undefined) return;
    for (const path of this.#where.keys()) if (path.endsWith(FP8_SCALE) || path.endsWith(FP8_ACTIVATIONS)) this.ignore(path);
  }

  /** Opens `model.safetensors`, the shards named by `model.safetensors.index.json`, or every safetensors file of the folder. */
  static async open(dir: string, options: WeightsOptions = {}): Promise<Weights> {
    const files: SafetensorsFile[] = [];
    try {
      for (const name of await shardNames(dir)) files.push(await openSafetensors(join(dir, name)));
      return new Weights(files, options);
    } catch (error) {
      for (const file of files) file.close();
      throw error;
    }
  }

  /** Every weight that is not ignored. */
  paths(): string[] {
    return [...this.#where.keys()].filter((path) => !this.#ignored.has(path));
  }

  /** What those take in their files. */
  get bytes(): number {
    return this.paths().reduce((sum, path) => {
      const { file, stored } = this.#find(path);
      return sum + (file.entries.get(stored)?.nbytes ?? 0);
    }, 0);
  }

  has(path: string): boolean {
    return this.#where.has(path);
  }

  /** The name a path has in the file, e.g. to look up per-layer settings written by the tool that converted the model. */
  storedName(path: string): string | undefined {
    return this.#where.get(path)?.stored;
  }

  /** Shape of a weight without reading it. */
  shapeOf(path: string): readonly number[] {
    const { file, stored } = this.#find(path);
    return file.entries.get(stored)?.shape ?? [];
  }

  /** The type that most floating-point weights are stored in: of a packed model, its norms and biases. */
  commonType(): DType | undefined {
    const counts = new Map<DType, number>();
    for (const { file, stored } of this.#where.values()) {
      const dtype = file.entries.get(stored)?.dtype;
      if (dtype !== undefined && isFloating(dtype)) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
    }
    return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
  }

  /** The weight at `path`; with `shape`, checked against it. Owned by whoever takes it. */
  take(path: string, shape?: readonly number[]): Tensor {
    return this.#take(path, shape, this.dtype);
  }

  /** Like `take`, for a weight that only `linear` multiplies with. */
  takeMatrix(path: string, shape?: readonly number[]): Tensor {
    return this.#take(path, shape, this.#storedMatrices ? undefined : this.dtype);
  }

  /** The weight at `path` as it is stored (8-bit floats made plain), for conversion: it belongs to the scope this is called in, and does not count as taken. */
  read(path: string): Tensor {
    const { file, stored } = this.#find(path);
    const read = file.read(stored);
    const scales = this.#fp8 && this.#where.get(path + FP8_SCALE);
    // The type that such models have where they are not rounded to 8 bits.
    return this.#fp8 === undefined || scales === undefined ? read : astype(dequantizeFp8(path, read, scales.file.read(scales.stored), this.#fp8), "bfloat16");
  }

  /** A tensor made from weights, e.g. a transposed view: like a weight, owned by whoever takes it. */
  derive(make: () => Tensor): Tensor {
    const tensor = retain(scope(make));
    this.#taken.push(tensor);
    return tensor;
  }

  /** Marks a weight as the model's though nothing here reads it, e.g. a norm after the layer that is looked at: unlike an ignored one it stays in a conversion. */
  skip(path: string): void {
    this.#unused.delete(path);
  }

  /** Marks weights as known but not needed, e.g. an `lm_head` stored beside tied embeddings. */
  ignore(path: string): void {
    this.#unused.delete(path);
    this.#ignored.add(path);
  }

  /** Marks a weight as stored a second time under `to`, which the model reads; `finish` refuses other values. */
  tie(path: string, to: string): void {
    if (this.has(path)) this.#tied.push([path, to]);
    this.ignore(path);
  }

  /** The same for every weight whose path begins so, e.g. layers for training only. */
  ignoreUnder(prefix: string): void {
    for (const path of this.#where.keys()) if (path.startsWith(prefix)) this.ignore(path);
  }

  /** Refuses weights that no module took. */
  refuseUnused(): void {
    if (this.#unused.size === 0) return;
    const names = [...this.#unused];
    throw new DeskhandError("invalid_model", `Expected every weight to belong to the model but ${names.length} do not: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}. Is model_type in config.json right?`);
  }

  /** Refuses weights that no module took and tied ones that differ, reads the rest in, and closes the files. */
  async finish(options: { onProgress?: OnProgress; signal?: AbortSignal } = {}): Promise<void> {
    this.refuseUnused();
    for (const [path, to] of this.#tied) await this.#requireEqual(path, to);
    // In groups, so that progress is shown and an abort is heard, without a round trip for each small tensor.
    const group = 32;
    for (let i = 0; i < this.#taken.length; i += group) {
      throwIfAborted(options.signal);
      await evaluated(...this.#taken.slice(i, i + group).filter((tensor) => !tensor.disposed));
      options.onProgress?.({ phase: "Loading weights", done: Math.min(i + group, this.#taken.length), total: this.#taken.length, unit: "tensors" });
    }
    this.close();
  }

  /** Closes the files; tensors taken before stay. */
  close(): void {
    for (const file of this.#files.splice(0)) file.close();
  }

  /** Frees everything taken so far: for a model whose construction failed. */
  abandon(): void {
    disposeAll(this.#taken);
    this.close();
  }

  async #requireEqual(path: string, to: string): Promise<void> {
    const [rows = 0, ...rest] = this.shapeOf(path);
    const other = this.shapeOf(to);
    let same = other.length === rest.length + 1 && [rows, ...rest].every((dim, i) => dim === other[i]);
    // Piece by piece: the file's pages are read once and can be let go of.
    for (let start = 0; same && start < rows; start += TIED_ROWS) {
      using equals = scope(() => min(astype(equal(slice(this.read(path), 0, start, start + TIED_ROWS), slice(this.read(to), 0, start, start + TIED_ROWS)), "int32")));
      await evaluated(equals);
      same = equals.item() !== 0;
    }
    if (same) return;
    throw new DeskhandError("invalid_model", `Expected ${path} to be the same as ${to}, since tie_word_embeddings in config.json is true, but they differ. Set it to false if the model has a head of its own.`);
  }

  #take(path: string, shape: readonly number[] | undefined, dtype: DType | undefined): Tensor {
    const { file } = this.#find(path);
    const actual = this.shapeOf(path);
    if (shape !== undefined && (shape.length !== actual.length || shape.some((dim, i) => dim !== actual[i]))) {
      throw new DeskhandError("invalid_model", `Expected weight ${path} of shape [${shape.join(", ")}] but ${file.path} has [${actual.join(", ")}]. Does config.json belong to these weights?`);
    }
    this.#unused.delete(path);
    return this.derive(() => {
      const read = this.read(path);
      return dtype !== undefined && isFloating(read.dtype) && read.dtype !== dtype ? astype(read, dtype) : read;
    });
  }

  #find(path: string): { file: SafetensorsFile; stored: string } {
    const found = this.#where.get(path);
    if (found === undefined) {
      throw new DeskhandError("invalid_model", `Expected a weight named ${path} but the model has none (${this.#where.size} weights in ${this.#files.length} files). Is the download complete?`);
    }
    return found;
  }
}

function canonical(stored: string, aliases: LayoutAliases): string {
  for (const [from, to] of aliases) if (stored.startsWith(from)) return to + stored.slice(from.length);
  return stored;
}

async function shardNames(dir: string): Promise<string[]> {
  const index = join(dir, "model.safetensors.index.json");
  if (existsSync(index)) {
    const { weight_map } = parseWith(Index, await readJson(index), index, "invalid_model");
    return [...new Set(Object.values(weight_map))].sort();
  }
  const names = (await readdir(dir)).filter((name) => name.endsWith(".safetensors")).sort();
  if (names.length === 0) throw new DeskhandError("invalid_model", `Expected safetensors weights in ${dir} but there are none. Convert the model, or download it again.`);
  return names;
}
