import type { Memory } from "../../cache/batch-cache.js";
import { KVCache } from "../../cache/kv-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import { add, reshape, siluMultiply, transpose, type Tensor } from "../../mlx/index.js";
import { attend } from "../../nn/attend.js";
import { Embedding, Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import { outputHead } from "../../nn/output-head.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { Rope } from "../../nn/rope.js";
import type { Rotary } from "../../nn/rotary.js";
import type { Weights } from "../../nn/weights.js";
import type { DecoderInput } from "../architecture.js";
import type { Qwen2TextConfig } from "./config.js";

// Qwen2 (arXiv:2407.10671): pre-norm decoder, rotary grouped-query attention with biases on queries, keys and values, SwiGLU.
// Also the decoder of Qwen2-VL and Qwen2.5-VL. Reference: transformers 5.23, models/qwen2/modeling_qwen2.py.

class Attention implements Disposable {
  readonly #config: Qwen2TextConfig;
  readonly #rope: Rope;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #o: Linear;

  /** @param rope shared by all layers, which dispose nothing of it. */
  constructor(weights: Weights, path: string, config: Qwen2TextConfig, rope: Rope, quantization?: QuantizationConfig) {
    const { hidden_size: dims, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = config;
    const linear = (name: string, inputs: number, outputs: number, bias: boolean): Linear => new Linear(weights, `${path}.${name}`, { inputs, outputs, bias, quantization });
    this.#config = config;
    this.#rope = rope;
    this.#q = linear("q_proj", dims, heads * headDim, true);
    this.#k = linear("k_proj", dims, kvHeads * headDim, true);
    this.#v = linear("v_proj", dims, kvHeads * headDim, true);
    this.#o = linear("o_proj", heads * headDim, dims, false);
  }

  /** x `[B, L, D]` */
  forward(x: Tensor, rotary: Rotary, memory: Memory<AttentionCache> | undefined): Tensor {
    const [batch, length] = x.shape as [number, number, number];
    const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = this.#config;
    const toHeads = (y: Tensor, count: number): Tensor => transpose(reshape(y, [batch, length, count, headDim]), [0, 2, 1, 3]);

    const q = this.#rope.apply(toHeads(this.#q.forward(x), heads), rotary);
    const k = this.#rope.apply(toHeads(this.#k.forward(x), kvHeads), rotary);
    const v = toHeads(this.#v.forward(x), kvHeads);
    const y = attend([q, k, v], { scale: headDim ** -0.5, mask: length > 1 ? "causal" : undefined, memory });
    return this.#o.forward(reshape(transpose(y, [0, 2, 1, 3]), [batch, length, heads * headDim]));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#q, this.#k, this.#v, this.#o);
  }
}

class MLP implements Disposable {
  readonly #gate: Linear;
  readonly #up: Linear;
  readonly #down: Linear;

  constructor(weights: Weights, path: string, { hidden_size: dims, intermediate_size: hidden }: Qwen2TextConfig, quantization?: QuantizationConfig) {
    this.#gate = new Linear(weights, `${path}.gate_proj`, { inputs: dims, outputs: hidden, bias: false, quantization });
    this.#up = new Linear(weights, `${path}.up_proj`, { inputs: dims, outputs: hidden, bias: false, quantization });
    this.#down = new Linear(weights, `${path}.down_proj`, { inputs: hidden, outputs: dims, bias: false, quantization });
  }

  forward(x: Tensor): Tensor {
    return this.#down.forward(siluMultiply(this.#gate.forward(x), this.#up.forward(x)));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#gate, this.#up, this.#down);
  }
}

class DecoderLayer implements Disposable {
  readonly #attention: Attention;
  readonly #mlp: MLP;
  readonly #inputNorm: RmsNorm;
  readonly #postNorm: RmsNorm;

  constructor(weights: Weights, path: string, config: Qwen2TextConfig, rope: Rope, quantization?: QuantizationConfig) {
    this.#attention = new Attention(weights, `${path}.self_attn`, config, rope, quantization);
    this.#mlp = new MLP(weights, `${path}.mlp`, config, quantization);
    this.#inputNorm = new RmsNorm(weights, `${path}.input_layernorm`, config.hidden_size, config.rms_norm_eps);
    this.#postNorm = new RmsNorm(weights, `${path}.post_attention_layernorm`, config.hidden_size, config.rms_norm_eps);
  }

  forward(x: Tensor, rotary: Rotary, memory: Memory<AttentionCache> | undefined): Tensor {
    const attended = add(x, this.#attention.forward(this.#inputNorm.forward(x), rotary, memory));
    return add(attended, this.#mlp.forward(this.#postNorm.forward(attended)));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#attention, this.#mlp, this.#inputNorm, this.#postNorm);
  }
}

export interface Qwen2TextOptions {
  /** Path of the decoder: `model` in text models. The output head is `lm_head` in all. */
  path: string;
  tiedHead: boolean;
  quantization?: QuantizationConfig;
}

/** The decoder with its embeddings and output head. */
export class Qwen2TextModel implements Disposable {
  readonly rope: Rope;
  readonly #embedTokens: Embedding;
  readonly #layers: DecoderLayer[];
  readonly #norm: RmsNorm;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, config: Qwen2TextConfig, { path, tiedHead, quantization }: Qwen2TextOptions) {
    const { hidden_size: dims, vocab_size: vocabSize, head_dim, max_position_embeddings, rope } = config;
    this.rope = new Rope({ dims: head_dim, base: rope.base, scaling: rope.scaling, maxPositions: max_position_embeddings });
    this.#embedTokens = new Embedding(weights, `${path}.embed_tokens`, { vocabSize, dims, quantization });
    this.#layers = Array.from({ length: config.num_hidden_layers }, (_, i) => new DecoderLayer(weights, `${path}.layers.${i}`, config, this.rope, quantization));
    this.#norm = new RmsNorm(weights, `${path}.norm`, dims, config.rms_norm_eps);
    this.#lmHead = outputHead(weights, { embeddings: `${path}.embed_tokens`, tied: tiedHead, inputs: dims, outputs: vocabSize, quantization });
  }

  createCache(): KVCache[] {
    return this.#layers.map(() => new KVCache());
  }

  embed(ids: Tensor): Tensor {
    return this.#embedTokens.forward(ids);
  }

  forward({ embeddings, rotary }: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    let hidden = embeddings;
    this.#layers.forEach((layer, i) => (hidden = layer.forward(hidden, rotary, cache?.[i])));
    return this.#norm.forward(hidden);
  }

  logits(hidden: Tensor): Tensor {
    return this.#lmHead?.forward(hidden) ?? this.#embedTokens.asLinear(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.rope, this.#embedTokens, this.#layers, this.#norm, this.#lmHead);
  }
}
