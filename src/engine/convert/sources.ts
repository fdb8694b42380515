import { astype, contiguous, dequantize, slice, stack, transpose, type Tensor } from "../mlx/index.js";
import { quantizationOf, type QuantizationConfig } from "../nn/quantization.js";
import type { LayoutAliases, Weights } from "../nn/weights.js";
import { mlxName, type MlxLayout } from "./layouts.js";

/** One weight of the folder to be written, before it is quantised. */
export interface Source {
  /** MLX's name. */
  name: string;
  /** For the matrix of a layer that can be quantised: MLX's name of the layer. */
  layer?: string;
  /** Stays of the type it is stored in. */
  fixedType?: boolean;
  /** Builds the graph only; the tensor belongs to the scope it is called in. */
  read: () => Tensor;
}

export interface SourceOptions {
  layout: MlxLayout & { names: LayoutAliases };
  /** Set when quantised layers are to become plain ones. */
  dequantize?: QuantizationConfig;
}

/** Every weight of the bound model in MLX's layout: its names, values and order of a convolution's axes, experts in one stack. */
export function listSources(weights: Weights, { layout, dequantize: config }: SourceOptions): Source[] {
  const sources: Source[] = [];
  const gathered = new ExpertStacks(weights);
  const paths = weights.paths();
  const { head } = layout;
  const copiesHead = head !== undefined && !paths.includes(`${head.path}.weight`);
  for (const path of paths) {
    if (gathered.take(path)) continue;
    const owner = path.replace(/\.(weight|scales|biases)$/, "");
    const settings = config === undefined ? undefined : quantizationOf(weights, owner, config);
    if (settings !== undefined && path !== `${owner}.weight` && owner !== path) continue;
    const rewrite = layout.rewrite?.(path, weights);
    const isMatrix = path === `${owner}.weight` && weights.layers.has(owner);
    const sourceNamed = (name: string): Source => ({
      name,
      layer: isMatrix ? name.slice(0, -".weight".length) : undefined,
      fixedType: layout.fixedType?.test(name),
      read() {
        const stored = weights.read(path);
        if (settings !== undefined && path === `${owner}.weight`) {
          const biases = weights.has(`${owner}.biases`) ? weights.read(`${owner}.biases`) : undefined;
          const plain = dequantize({ weight: stored, scales: weights.read(`${owner}.scales`), biases }, settings);
          // Of modes whose scales have no such type, MLX makes bfloat16, which holds their values exactly: all weights are to be of one.
          const type = biases === undefined ? weights.commonType() : undefined;
          return type === undefined || type === plain.dtype ? plain : astype(plain, type);
        }
        return rewrite?.(stored) ?? stored;
      },
    });
    sources.push(sourceNamed(mlxName(path, layout.names)));
    if (copiesHead && owner === head.embeddings) sources.push(sourceNamed(mlxName(head.path + path.slice(owner.length), layout.names)));
  }
  return [...sources, ...gathered.sources((path) => mlxName(path, layout.names))];
}

/** Experts as transformers stores them (one tensor each, or gate and up of all in one), in MLX's stacks `switch_mlp.*_proj`. */
class ExpertStacks {
  readonly #weights: Weights;
  /** MLX's path of a stack → paths of its experts' matrices, by expert. */
  readonly #single = new Map<string, string[]>();
  /** Paths of blocks whose experts lie in two tensors. */
  readonly #fused = new Set<string>();

  constructor(weights: Weights) {
    this.#weights = weights;
  }

  /** @returns whether the weight is an expert's. */
  take(path: string): boolean {
    const one = /^(.+)\.experts\.(\d+)\.((?:gate|up|down)_proj)\.weight$/.exec(path);
    if (one !== null) {
      const stack = `${one[1]}.switch_mlp.${one[3]}`;
      const parts = this.#single.get(stack) ?? [];
      parts[Number(one[2])] = path;
      this.#single.set(stack, parts);
      return true;
    }
    const fused = /^(.+)\.experts\.(?:gate_up|down)_proj$/.exec(path);
    if (fused !== null) this.#fused.add(fused[1]!);
    return fused !== null;
  }

  sources(nameOf: (path: string) => string): Source[] {
    const weights = this.#weights;
    const source = (path: string, read: () => Tensor): Source => ({ name: nameOf(`${path}.weight`), layer: nameOf(`${path}.weight`).slice(0, -".weight".length), read });
    const stacks = [...this.#single].map(([path, parts]) => source(path, () => stack(parts.map((part) => weights.read(part)), 0)));
    const halves = [...this.#fused].flatMap((block) => {
      const [gateUp, down] = [`${block}.experts.gate_up_proj`, `${block}.experts.down_proj`];
      const [, rows, columns] = weights.shapeOf(gateUp) as [number, number, number];
      const [, downRows, downColumns] = weights.shapeOf(down) as [number, number, number];
      // Of the two at least one is not square, which tells whether inputs come first, as Qwen3-VL's are published.
      const inputsFirst = columns === 2 * downRows && rows === downColumns;
      const hidden = inputsFirst ? downRows : downColumns;
      const turned = (x: Tensor): Tensor => contiguous(inputsFirst ? transpose(x, [0, 2, 1]) : x);
      const half = (from: number): Tensor => turned(slice(weights.read(gateUp), inputsFirst ? 2 : 1, from, from + hidden));
      return [
        source(`${block}.switch_mlp.gate_proj`, () => half(0)),
        source(`${block}.switch_mlp.up_proj`, () => half(hidden)),
        source(`${block}.switch_mlp.down_proj`, () => turned(weights.read(down))),
      ];
    });
    return [...stacks, ...halves];
  }
}
