import { add, broadcastTo, concatenate, gelu, linear, multiply, reshape, scaledDotProductAttention, sigmoid, slice, tensor, transpose, type DType, type Tensor } from "../../mlx/index.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm } from "../../nn/norm.js";
import { patchMatrix } from "../../nn/patch-matrix.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import type { Weights } from "../../nn/weights.js";
import type { ClipVisionConfig } from "./config.js";

// CLIP's vision tower (arXiv:2103.00020): square pictures of one size, a class token before the patches, learned positions.
// Reference: transformers 5.23, models/clip/modeling_clip.py.

class Block implements Disposable {
  readonly #heads: number;
  readonly #activation: ClipVisionConfig["hidden_act"];
  readonly #norm1: LayerNorm;
  readonly #norm2: LayerNorm;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #out: Linear;
  readonly #fc1: Linear;
  readonly #fc2: Linear;

  constructor(weights: Weights, path: string, config: ClipVisionConfig, quantization?: QuantizationConfig) {
    const { hidden_size: dims, intermediate_size: hidden, layer_norm_eps: eps } = config;
    const linear = (name: string, inputs: number, outputs: number): Linear => new Linear(weights, `${path}.${name}`, { inputs, outputs, bias: true, quantization });
    this.#heads = config.num_attention_heads;
    this.#activation = config.hidden_act;
    this.#norm1 = new LayerNorm(weights, `${path}.layer_norm1`, dims, eps);
    this.#norm2 = new LayerNorm(weights, `${path}.layer_norm2`, dims, eps);
    this.#q = linear("self_attn.q_proj", dims, dims);
    this.#k = linear("self_attn.k_proj", dims, dims);
    this.#v = linear("self_attn.v_proj", dims, dims);
    this.#out = linear("self_attn.out_proj", dims, dims);
    this.#fc1 = linear("mlp.fc1", dims, hidden);
    this.#fc2 = linear("mlp.fc2", hidden, dims);
  }

  /** x `[pictures, 1 + patches, D]` */
  forward(x: Tensor): Tensor {
    const attended = add(x, this.#attend(this.#norm1.forward(x)));
    const hidden = this.#fc1.forward(this.#norm2.forward(attended));
    return add(attended, this.#fc2.forward(this.#activation === "gelu" ? gelu(hidden) : multiply(hidden, sigmoid(multiply(hidden, 1.702)))));
  }

  #attend(x: Tensor): Tensor {
    const [pictures, length, dims] = x.shape as [number, number, number];
    const headDim = dims / this.#heads;
    const heads = (y: Tensor): Tensor => transpose(reshape(y, [pictures, length, this.#heads, headDim]), [0, 2, 1, 3]);
    const y = scaledDotProductAttention(heads(this.#q.forward(x)), heads(this.#k.forward(x)), heads(this.#v.forward(x)), headDim ** -0.5);
    return this.#out.forward(reshape(transpose(y, [0, 2, 1, 3]), [pictures, length, dims]));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm1, this.#norm2, this.#q, this.#k, this.#v, this.#out, this.#fc1, this.#fc2);
  }
}

export interface ClipTowerOptions {
  /** States to give, side by side: 0 the first block's input, n the output of the n-th. */
  layers: readonly number[];
  classToken: boolean;
  quantization?: QuantizationConfig;
}

export class ClipTower implements Disposable {
  readonly #options: ClipTowerOptions;
  readonly #patchWeight: Tensor;
  readonly #class: Tensor;
  readonly #positions: Tensor;
  readonly #dtype: DType;
  readonly #norm: LayerNorm;
  readonly #blocks: Block[];

  constructor(weights: Weights, path: string, config: ClipVisionConfig, options: ClipTowerOptions) {
    const { hidden_size: dims, num_channels: channels, patch_size: patchSize, image_size, layer_norm_eps: eps } = config;
    this.#options = options;
    this.#patchWeight = patchMatrix(weights, `${path}.embeddings.patch_embedding.weight`, { outputs: dims, channels, patchSize });
    this.#class = weights.take(`${path}.embeddings.class_embedding`, [dims]);
    this.#positions = weights.take(`${path}.embeddings.position_embedding.weight`, [Math.floor(image_size / patchSize) ** 2 + 1, dims]);
    this.#dtype = weights.dtype ?? this.#class.dtype;
    this.#norm = new LayerNorm(weights, `${path}.pre_layrnorm`, dims, eps);
    this.#blocks = Array.from({ length: config.num_hidden_layers }, (_, i) => new Block(weights, `${path}.encoder.layers.${i}`, config, options.quantization));
    // Those beyond are bound, so that their weights are known, and let go before they are read.
    disposeModules(this.#blocks.splice(Math.max(...options.layers)));
    for (const name of ["weight", "bias"]) weights.skip(`${path}.post_layernorm.${name}`);
    weights.ignore(`${path}.embeddings.position_ids`);
  }

  /** Patches of `pictures` pictures, row-major `[pictures, patches, 3 · patchSize²]` → `[pictures, (1 +) patches, D · layers]` */
  forward(pixelValues: Float32Array<ArrayBuffer>, pictures: number): Tensor {
    const [positions, dims] = this.#positions.shape as [number, number];
    const pixels = tensor(pixelValues, [pictures, positions - 1, pixelValues.length / (pictures * (positions - 1))], this.#dtype);
    const classes = broadcastTo(this.#class, [pictures, 1, dims]);
    let hidden = this.#norm.forward(add(concatenate([classes, linear(pixels, this.#patchWeight)], 1), this.#positions));
    const states = [hidden];
    for (const block of this.#blocks) states.push((hidden = block.forward(hidden)));
    const selected = this.#options.layers.map((layer) => states[layer] as Tensor);
    const features = selected.length === 1 ? (selected[0] as Tensor) : concatenate(selected, -1);
    return this.#options.classToken ? features : slice(features, 1, 1);
  }

  [Symbol.dispose](): void {
    for (const weight of [this.#patchWeight, this.#class, this.#positions]) weight.dispose();
    disposeModules(this.#norm, this.#blocks);
  }
}
