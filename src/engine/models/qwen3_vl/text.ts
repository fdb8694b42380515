import type { Memory } from "../../cache/batch-cache.js";
import { KVCache } from "../../cache/kv-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import { add, reshape, siluMultiply, transpose, type Tensor } from "../../mlx/index.js";
import { attend } from "../../nn/attend.js";
import { Embedding, Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { applyRotary, type Rotary } from "../../nn/rotary.js";
import type { Weights } from "../../nn/weights.js";
import type { DecoderInput } from "../architecture.js";
import type { Qwen3VLTextConfig } from "./config.js";

// Qwen3-VL's decoder: Qwen3's, with multi-axis rotary positions and picture features added after the first layers.
// Reference: transformers 5.23, models/qwen3_vl/modeling_qwen3_vl.py.

class Attention implements Disposable {
  readonly #config: Qwen3VLTextConfig;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #o: Linear;
  readonly #qNorm: RmsNorm;
  readonly #kNorm: RmsNorm;

  constructor(weights: Weights, path: string, config: Qwen3VLTextConfig, quantization?: QuantizationConfig) {
    const { hidden_size: dims, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = config;
    const linear = (name: string, inputs: number, outputs: number): Linear => new Linear(weights, `${path}.${name}`, { inputs, outputs, bias: false, quantization });
    this.#config = config;
    this.#q = linear("q_proj", dims, heads * headDim);
    this.#k = linear("k_proj", dims, kvHeads * headDim);
    this.#v = linear("v_proj", dims, kvHeads * headDim);
    this.#o = linear("o_proj", heads * headDim, dims);
    this.#qNorm = new RmsNorm(weights, `${path}.q_norm`, headDim, config.rms_norm_eps);
    this.#kNorm = new RmsNorm(weights, `${path}.k_norm`, headDim, config.rms_norm_eps);
  }

  /** x `[B, L, D]` */
  forward(x: Tensor, rotary: Rotary, memory: Memory<AttentionCache> | undefined): Tensor {
    const [batch, length] = x.shape as [number, number, number];
    const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim, rope_theta: base } = this.#config;
    const split = (y: Tensor, count: number): Tensor => reshape(y, [batch, length, count, headDim]);
    const toHeads = (y: Tensor): Tensor => transpose(y, [0, 2, 1, 3]);

    const q = applyRotary(toHeads(this.#qNorm.forward(split(this.#q.forward(x), heads))), rotary, { base });
    const k = applyRotary(toHeads(this.#kNorm.forward(split(this.#k.forward(x), kvHeads))), rotary, { base });
    const v = toHeads(split(this.#v.forward(x), kvHeads));
    const y = attend([q, k, v], { scale: headDim ** -0.5, mask: length > 1 ? "causal" : undefined, memory });
    return this.#o.forward(reshape(transpose(y, [0, 2, 1, 3]), [batch, length, heads * headDim]));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#q, this.#k, this.#v, this.#o, this.#qNorm, this.#kNorm);
  }
}

class MLP implements Disposable {
  readonly #gate: Linear;
  readonly #up: Linear;
  readonly #down: Linear;

  constructor(weights: Weights, path: string, { hidden_size: dims, intermediate_size: hidden }: Qwen3VLTextConfig, quantization?: QuantizationConfig) {
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

  constructor(weights: Weights, path: string, config: Qwen3VLTextConfig, quantization?: QuantizationConfig) {
    this.#attention = new Attention(weights, `${path}.self_attn`, config, quantization);
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

export class TextModel implements Disposable {
  readonly #embedTokens: Embedding;
  readonly #layers: DecoderLayer[];
  readonly #norm: RmsNorm;

  constructor(weights: Weights, path: string, config: Qwen3VLTextConfig, quantization?: QuantizationConfig) {
    this.#embedTokens = new Embedding(weights, `${path}.embed_tokens`, { vocabSize: config.vocab_size, dims: config.hidden_size, quantization });
    this.#layers = Array.from({ length: config.num_hidden_layers }, (_, i) => new DecoderLayer(weights, `${path}.layers.${i}`, config, quantization));
    this.#norm = new RmsNorm(weights, `${path}.norm`, config.hidden_size, config.rms_norm_eps);
  }

  get embedTokens(): Embedding {
    return this.#embedTokens;
  }

  createCache(): KVCache[] {
    return this.#layers.map(() => new KVCache());
  }

  forward({ embeddings, rotary, deepstack = [] }: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    let hidden = embeddings;
    this.#layers.forEach((layer, i) => {
      hidden = layer.forward(hidden, rotary, cache?.[i]);
      const features = deepstack[i];
      if (features !== undefined) hidden = add(hidden, features);
    });
    return this.#norm.forward(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#embedTokens, this.#layers, this.#norm);
  }
}
