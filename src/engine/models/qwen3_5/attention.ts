import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import { multiply, reshape, sigmoid, split, transpose, type Tensor } from "../../mlx/index.js";
import { attend } from "../../nn/attend.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import { applyRotary, type Rotary } from "../../nn/rotary.js";
import type { Weights } from "../../nn/weights.js";
import type { Qwen35TextConfig } from "./config.js";

/** Grouped-query attention whose output is gated, and whose heads are rotated in part. */
export class GatedAttention implements Disposable {
  readonly #config: Qwen35TextConfig;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #o: Linear;
  readonly #qNorm: RmsNorm;
  readonly #kNorm: RmsNorm;

  constructor(weights: Weights, path: string, config: Qwen35TextConfig, norms: { fromOne: boolean }) {
    const { hidden_size: dims, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim, rms_norm_eps: eps, quantization } = config;
    const linear = (name: string, inputs: number, outputs: number): Linear => new Linear(weights, `${path}.${name}`, { inputs, outputs, bias: false, quantization });
    this.#config = config;
    this.#q = linear("q_proj", dims, 2 * heads * headDim);
    this.#k = linear("k_proj", dims, kvHeads * headDim);
    this.#v = linear("v_proj", dims, kvHeads * headDim);
    this.#o = linear("o_proj", heads * headDim, dims);
    this.#qNorm = new RmsNorm(weights, `${path}.q_norm`, headDim, eps, norms);
    this.#kNorm = new RmsNorm(weights, `${path}.k_norm`, headDim, eps, norms);
  }

  /** x `[B, L, D]` */
  forward(x: Tensor, rotary: Rotary, memory: Memory<AttentionCache> | undefined): Tensor {
    const [batch, length] = x.shape as [number, number, number];
    const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = this.#config;
    const toHeads = (y: Tensor): Tensor => transpose(y, [0, 2, 1, 3]);
    const kvOf = (y: Tensor): Tensor => reshape(y, [batch, length, kvHeads, headDim]);

    // Each head's query and gate stand together.
    const [query, gate] = split(reshape(this.#q.forward(x), [batch, length, heads, 2 * headDim]), [headDim], -1) as [Tensor, Tensor];
    const q = this.#rotate(toHeads(this.#qNorm.forward(query)), rotary);
    const k = this.#rotate(toHeads(this.#kNorm.forward(kvOf(this.#k.forward(x)))), rotary);
    const v = toHeads(kvOf(this.#v.forward(x)));
    const y = attend([q, k, v], { scale: headDim ** -0.5, mask: length > 1 ? "causal" : undefined, memory });
    return this.#o.forward(reshape(multiply(toHeads(y), sigmoid(gate)), [batch, length, heads * headDim]));
  }

  #rotate(x: Tensor, rotary: Rotary): Tensor {
    return applyRotary(x, rotary, { base: this.#config.rope_theta, dims: this.#config.rotary_dim });
  }

  [Symbol.dispose](): void {
    disposeModules(this.#q, this.#k, this.#v, this.#o, this.#qNorm, this.#kNorm);
  }
}
