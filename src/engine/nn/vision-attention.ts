import { reshape, split, transpose, type Tensor } from "../mlx/index.js";
import { Linear } from "./linear.js";
import { disposeModules } from "./module.js";
import type { QuantizationConfig } from "./quantization.js";
import { rotateHalves } from "./rotary.js";
import type { Weights } from "./weights.js";
import { attend, attendInWindows, type WindowRun } from "./window-attention.js";

/** Self-attention of a Qwen-VL vision tower: queries, keys and values from one projection or from three, as stored, turned by the patches' places. */
export class VisionAttention implements Disposable {
  readonly #heads: number;
  readonly #qkv: Linear[];
  readonly #proj: Linear;

  constructor(weights: Weights, path: string, { dims, heads, quantization }: { dims: number; heads: number; quantization?: QuantizationConfig }) {
    this.#heads = heads;
    const names = weights.has(`${path}.q.weight`) ? ["q", "k", "v"] : ["qkv"];
    this.#qkv = names.map((name) => new Linear(weights, `${path}.${name}`, { inputs: dims, outputs: (3 * dims) / names.length, bias: true, quantization }));
    this.#proj = new Linear(weights, `${path}.proj`, { inputs: dims, outputs: dims, bias: true, quantization });
  }

  /** x `[F, N, D]`: frames attend within themselves, and with `windows` (which cover the N rows) rows within their window. */
  forward(x: Tensor, rotary: { cos: Tensor; sin: Tensor }, windows?: readonly WindowRun[]): Tensor {
    const [frames, patches, dims] = x.shape as [number, number, number];
    const headDim = dims / this.#heads;
    const heads = (y: Tensor): Tensor => transpose(reshape(y, [frames, patches, this.#heads, headDim]), [0, 2, 1, 3]);
    const projected = this.#qkv.map((projection) => projection.forward(x));
    const [q, k, v] = (projected.length === 1 ? split(projected[0] as Tensor, [dims, 2 * dims], -1) : projected).map(heads) as [Tensor, Tensor, Tensor];
    const turned = [rotateHalves(q, rotary.cos, rotary.sin), rotateHalves(k, rotary.cos, rotary.sin), v] as const;
    return this.#proj.forward(windows === undefined ? attend(turned) : attendInWindows(turned, windows));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#qkv, this.#proj);
  }
}
