import { concatenate, reshape, scaledDotProductAttention, slice, split, transpose, type Tensor } from "../mlx/index.js";
import { Linear } from "./linear.js";
import { disposeModules } from "./module.js";
import type { QuantizationConfig } from "./quantization.js";
import { rotateHalves } from "./rotary.js";
import type { Weights } from "./weights.js";

/** Rows that follow each other in `count` windows of `size` rows each. */
export interface WindowRun {
  count: number;
  size: number;
}

/** Self-attention of a Qwen-VL vision tower: queries, keys and values from one projection, turned by the patches' places. */
export class VisionAttention implements Disposable {
  readonly #heads: number;
  readonly #qkv: Linear;
  readonly #proj: Linear;

  constructor(weights: Weights, path: string, { dims, heads, quantization }: { dims: number; heads: number; quantization?: QuantizationConfig }) {
    this.#heads = heads;
    this.#qkv = new Linear(weights, `${path}.qkv`, { inputs: dims, outputs: 3 * dims, bias: true, quantization });
    this.#proj = new Linear(weights, `${path}.proj`, { inputs: dims, outputs: dims, bias: true, quantization });
  }

  /** x `[F, N, D]`: frames attend within themselves, and with `windows` (which cover the N rows) rows within their window. */
  forward(x: Tensor, rotary: { cos: Tensor; sin: Tensor }, windows?: readonly WindowRun[]): Tensor {
    const [frames, patches, dims] = x.shape as [number, number, number];
    const headDim = dims / this.#heads;
    const heads = (y: Tensor): Tensor => transpose(reshape(y, [frames, patches, this.#heads, headDim]), [0, 2, 1, 3]);
    const [q, k, v] = split(this.#qkv.forward(x), [dims, 2 * dims], -1).map(heads) as [Tensor, Tensor, Tensor];
    const turned = [rotateHalves(q, rotary.cos, rotary.sin), rotateHalves(k, rotary.cos, rotary.sin), v] as const;
    return this.#proj.forward(windows === undefined ? attend(...turned) : attendInWindows(turned, windows));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#qkv, this.#proj);
  }
}

/** q, k, v `[B, H, N, d]` → `[B, N, H · d]` */
function attend(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const [batch, heads, rows, headDim] = q.shape as [number, number, number, number];
  return reshape(transpose(scaledDotProductAttention(q, k, v, headDim ** -0.5), [0, 2, 1, 3]), [batch, rows, heads * headDim]);
}

/** The windows of a run, being of one size, are a batch: no masks, and no work on what a window does not see. */
function attendInWindows(qkv: readonly [Tensor, Tensor, Tensor], windows: readonly WindowRun[]): Tensor {
  const [frames, heads, , headDim] = qkv[0].shape as [number, number, number, number];
  const parts: Tensor[] = [];
  let start = 0;
  for (const { count, size } of windows) {
    const end = start + count * size;
    const batched = qkv.map((x) => {
      const run = reshape(slice(x, 2, start, end), [frames, heads, count, size, headDim]);
      return reshape(transpose(run, [0, 2, 1, 3, 4]), [frames * count, heads, size, headDim]);
    }) as [Tensor, Tensor, Tensor];
    parts.push(reshape(attend(...batched), [frames, count * size, heads * headDim]));
    start = end;
  }
  return concatenate(parts, 1);
}
