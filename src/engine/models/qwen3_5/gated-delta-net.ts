import { bySequence, type Memory } from "../../cache/batch-cache.js";
import type { RecurrentCache } from "../../cache/recurrent-cache.js";
import { add, astype, concatenate, contiguous, disposeAll, exp, gatedDelta, logaddexp, multiply, negative, reshape, rmsNorm, sigmoid, siluMultiply, slice, split, transpose, zeros, type Tensor } from "../../mlx/index.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import type { Weights } from "../../nn/weights.js";
import type { Qwen35TextConfig } from "./config.js";

/** Added to the squared length of a query or key before it is divided by its length. */
const LENGTH_EPS = 1e-6;

/**
 * Linear attention with a memory that forgets and corrects itself (Gated DeltaNet, arXiv:2412.06464), behind a short causal
 * convolution. Reference: transformers 5.23, models/qwen3_5/modeling_qwen3_5.py.
 */
export class GatedDeltaNet implements Disposable {
  readonly #config: Qwen35TextConfig;
  readonly #qkv: Linear;
  readonly #z: Linear;
  readonly #a: Linear;
  readonly #b: Linear;
  readonly #out: Linear;
  readonly #norm: RmsNorm;
  /** The convolution, `[kernel, C]`. */
  readonly #taps: Tensor;
  /** float32 `[Hv]`, negative: how fast a head forgets. */
  readonly #rate: Tensor;
  readonly #timeBias: Tensor;

  constructor(weights: Weights, path: string, config: Qwen35TextConfig) {
    const { hidden_size: dims, linear_num_value_heads: heads, linear_value_head_dim: valueDim, linear_conv_kernel_dim: kernel, quantization } = config;
    const { keys, values, channels } = widths(config);
    const linear = (name: string, inputs: number, outputs: number): Linear => new Linear(weights, `${path}.${name}`, { inputs, outputs, bias: false, quantization });
    this.#config = config;
    this.#qkv = linear("in_proj_qkv", dims, 2 * keys + values);
    this.#z = linear("in_proj_z", dims, values);
    this.#a = linear("in_proj_a", dims, heads);
    this.#b = linear("in_proj_b", dims, heads);
    this.#out = linear("out_proj", values, dims);
    this.#norm = new RmsNorm(weights, `${path}.norm`, valueDim, config.rms_norm_eps);
    const taps = `${path}.conv1d.weight`;
    // MLX's tools put the only input channel last.
    const shape = weights.shapeOf(taps).at(-1) === 1 ? [channels, kernel, 1] : [channels, 1, kernel];
    this.#taps = derived(weights, taps, (stored) => contiguous(transpose(reshape(stored, [channels, kernel]), [1, 0])), shape);
    this.#rate = derived(weights, `${path}.A_log`, (stored) => negative(exp(astype(stored, "float32"))), [heads]);
    this.#timeBias = derived(weights, `${path}.dt_bias`, (stored) => astype(stored, "float32"), [heads]);
  }

  /** x `[B, L, D]` */
  forward(x: Tensor, memory: Memory<RecurrentCache> | undefined): Tensor {
    const [batch, length] = x.shape as [number, number, number];
    const { linear_num_value_heads: heads, linear_value_head_dim: valueDim } = this.#config;
    const projections = [this.#qkv.forward(x), this.#a.forward(x), this.#b.forward(x)];
    const y = bySequence(memory, projections, (cache, [qkv, a, b]) => this.#remember({ qkv: qkv!, a: a!, b: b! }, cache));
    const gate = reshape(this.#z.forward(x), [batch, length, heads, valueDim]);
    return this.#out.forward(reshape(siluMultiply(gate, this.#norm.forward(astype(y, x.dtype))), [batch, length, heads * valueDim]));
  }

  /** The convolution and the recurrence over projections `[B, L, …]`: `[B, L, Hv, Dv]`. */
  #remember({ qkv, a, b }: Record<"qkv" | "a" | "b", Tensor>, cache: RecurrentCache | undefined): Tensor {
    const [batch, length] = qkv.shape as [number, number, number];
    const { linear_num_key_heads: keyHeads, linear_key_head_dim: keyDim, linear_num_value_heads: heads, linear_value_head_dim: valueDim } = this.#config;
    const { keys } = widths(this.#config);

    const inputs = this.#withHistory(qkv, cache);
    const [query, key, value] = split(this.#convolve(inputs, length), [keys, 2 * keys], -1) as [Tensor, Tensor, Tensor];
    const float = (y: Tensor, count: number, dim: number): Tensor => astype(reshape(y, [batch, length, count, dim]), "float32");
    const unit = (y: Tensor): Tensor => multiply(rmsNorm(float(y, keyHeads, keyDim), undefined, LENGTH_EPS / keyDim), keyDim ** -0.5);
    const { y, state: memory } = gatedDelta({
      q: multiply(unit(query), keyDim ** -0.5),
      k: unit(key),
      v: float(value, heads, valueDim),
      decay: exp(multiply(logaddexp(add(astype(a, "float32"), this.#timeBias), 0), this.#rate)),
      beta: astype(sigmoid(b), "float32"),
      state: cache?.state?.memory ?? zeros([batch, heads, valueDim, keyDim]),
    });
    cache?.advance(length, { conv: contiguous(slice(inputs, 1, length)), memory });
    return y;
  }

  /** The convolution's inputs with those it remembers before them: `[B, kernel − 1 + L, C]`. */
  #withHistory(inputs: Tensor, cache: RecurrentCache | undefined): Tensor {
    const before = cache?.state?.conv ?? zeros([inputs.dim(0), this.#config.linear_conv_kernel_dim - 1, inputs.dim(2)], inputs.dtype);
    return concatenate([before, inputs], 1);
  }

  /** Each channel on its own: silu(Σ taps[j] · inputs[t + j]). */
  #convolve(inputs: Tensor, length: number): Tensor {
    const terms = Array.from({ length: this.#config.linear_conv_kernel_dim }, (_, j) => multiply(slice(inputs, 1, j, j + length), slice(this.#taps, 0, j, j + 1)));
    const y = terms.reduce((sum, term) => add(sum, term));
    return multiply(y, sigmoid(y));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#qkv, this.#z, this.#a, this.#b, this.#out, this.#norm);
    disposeAll([this.#taps, this.#rate, this.#timeBias]);
  }
}

/** Features of all keys, of all values, and of what is convolved. */
function widths(config: Qwen35TextConfig): { keys: number; values: number; channels: number } {
  const keys = config.linear_num_key_heads * config.linear_key_head_dim;
  const values = config.linear_num_value_heads * config.linear_value_head_dim;
  return { keys, values, channels: 2 * keys + values };
}

function derived(weights: Weights, path: string, make: (stored: Tensor) => Tensor, shape?: readonly number[]): Tensor {
  const stored = weights.take(path, shape);
  const made = weights.derive(() => make(stored));
  if (made !== stored) stored.dispose();
  return made;
}
