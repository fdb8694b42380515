import { add, gelu, geluTanh, multiply, reshape, scaledDotProductAttention, sigmoid, transpose, type Tensor } from "../mlx/index.js";
import { Linear } from "./linear.js";
import { disposeModules } from "./module.js";
import { LayerNorm } from "./norm.js";
import type { QuantizationConfig } from "./quantization.js";
import type { Weights } from "./weights.js";

/** Functions between the two layers of a block's MLP, by their names in config.json. */
const ACTIVATIONS = {
  gelu,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: (x: Tensor) => multiply(x, sigmoid(multiply(x, 1.702))),
};

export interface EncoderBlockConfig {
  hidden_size: number;
  intermediate_size: number;
  num_attention_heads: number;
  layer_norm_eps: number;
  hidden_act: keyof typeof ACTIVATIONS;
}

/**
 * A block of CLIP's and SigLIP's vision towers (arXiv:2103.00020, arXiv:2303.15343): attention among all rows, and an MLP, each behind a layer
 * norm. Reference: transformers 5.23, models/clip/modeling_clip.py.
 */
export class EncoderBlock implements Disposable {
  readonly #heads: number;
  readonly #activation: (x: Tensor) => Tensor;
  readonly #norm1: LayerNorm;
  readonly #norm2: LayerNorm;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #out: Linear;
  readonly #fc1: Linear;
  readonly #fc2: Linear;

  constructor(weights: Weights, path: string, config: EncoderBlockConfig, quantization?: QuantizationConfig) {
    const { hidden_size: dims, intermediate_size: hidden, layer_norm_eps: eps } = config;
    const linear = (name: string, inputs: number, outputs: number): Linear => new Linear(weights, `${path}.${name}`, { inputs, outputs, bias: true, quantization });
    this.#heads = config.num_attention_heads;
    this.#activation = ACTIVATIONS[config.hidden_act];
    this.#norm1 = new LayerNorm(weights, `${path}.layer_norm1`, dims, eps);
    this.#norm2 = new LayerNorm(weights, `${path}.layer_norm2`, dims, eps);
    this.#q = linear("self_attn.q_proj", dims, dims);
    this.#k = linear("self_attn.k_proj", dims, dims);
    this.#v = linear("self_attn.v_proj", dims, dims);
    this.#out = linear("self_attn.out_proj", dims, dims);
    this.#fc1 = linear("mlp.fc1", dims, hidden);
    this.#fc2 = linear("mlp.fc2", hidden, dims);
  }

  /** x `[B, N, D]`: rows of a picture or tile attend within it. */
  forward(x: Tensor): Tensor {
    const attended = add(x, this.#attend(this.#norm1.forward(x)));
    return add(attended, this.#fc2.forward(this.#activation(this.#fc1.forward(this.#norm2.forward(attended)))));
  }

  #attend(x: Tensor): Tensor {
    const [batch, rows, dims] = x.shape as [number, number, number];
    const headDim = dims / this.#heads;
    const heads = (y: Tensor): Tensor => transpose(reshape(y, [batch, rows, this.#heads, headDim]), [0, 2, 1, 3]);
    const y = scaledDotProductAttention(heads(this.#q.forward(x)), heads(this.#k.forward(x)), heads(this.#v.forward(x)), headDim ** -0.5);
    return this.#out.forward(reshape(transpose(y, [0, 2, 1, 3]), [batch, rows, dims]));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm1, this.#norm2, this.#q, this.#k, this.#v, this.#out, this.#fc1, this.#fc2);
  }
}
