import { attentionCache } from "../../cache/attention-cache.js";
import { rowsBefore, type Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import { add, multiply, reshape, siluMultiply, transpose, type Tensor } from "../../mlx/index.js";
import { attend } from "../../nn/attend.js";
import { attentionMask, type AttentionMask } from "../../nn/attention-mask.js";
import { Embedding, Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import { outputHead } from "../../nn/output-head.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { queryScale } from "../../nn/query-scale.js";
import { Rope } from "../../nn/rope.js";
import type { Rotary } from "../../nn/rotary.js";
import type { Weights } from "../../nn/weights.js";
import type { DecoderInput, Prompt, PromptPlan } from "../architecture.js";
import type { LlamaTextConfig } from "./config.js";

// Llama (arXiv:2302.13971, arXiv:2307.09288): pre-norm decoder, rotary grouped-query attention, SwiGLU. Its kin add a window of attention
// (Mistral) and queries that grow with their position (Ministral 3).
// Reference: transformers 5.23, models/{llama,mistral,ministral3}/modeling_*.py.

/** What the layers of one pass share. */
interface Pass {
  rotary: Rotary;
  mask: AttentionMask;
  /** What queries are multiplied with, `[L, 1]`. */
  scale: Tensor | undefined;
}

class Attention implements Disposable {
  readonly #config: LlamaTextConfig;
  readonly #rope: Rope;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #o: Linear;

  constructor(weights: Weights, path: string, config: LlamaTextConfig, rope: Rope, quantization?: QuantizationConfig) {
    const { hidden_size: dims, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim, attention_bias: bias } = config;
    const linear = (name: string, inputs: number, outputs: number, hasBias = bias): Linear => new Linear(weights, `${path}.${name}`, { inputs, outputs, bias: hasBias, quantization });
    this.#config = config;
    this.#rope = rope;
    this.#q = linear("q_proj", dims, heads * headDim);
    this.#k = linear("k_proj", dims, kvHeads * headDim);
    this.#v = linear("v_proj", dims, kvHeads * headDim);
    this.#o = linear("o_proj", heads * headDim, dims, config.attention_output_bias);
    // Older folders store the rotary frequencies with every layer.
    weights.ignore(`${path}.rotary_emb.inv_freq`);
  }

  /** x `[B, L, D]` */
  forward(x: Tensor, { rotary, mask, scale }: Pass, memory: Memory<AttentionCache> | undefined): Tensor {
    const [batch, length] = x.shape as [number, number, number];
    const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = this.#config;
    const split = (y: Tensor, count: number): Tensor => transpose(reshape(y, [batch, length, count, headDim]), [0, 2, 1, 3]);

    const turned = this.#rope.apply(split(this.#q.forward(x), heads), rotary);
    const q = scale === undefined ? turned : multiply(turned, scale);
    const k = this.#rope.apply(split(this.#k.forward(x), kvHeads), rotary);
    const v = split(this.#v.forward(x), kvHeads);
    const y = attend([q, k, v], { scale: headDim ** -0.5, mask, memory });
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

  constructor(weights: Weights, path: string, { hidden_size: dims, intermediate_size: hidden, mlp_bias: bias }: LlamaTextConfig, quantization?: QuantizationConfig) {
    this.#gate = new Linear(weights, `${path}.gate_proj`, { inputs: dims, outputs: hidden, bias, quantization });
    this.#up = new Linear(weights, `${path}.up_proj`, { inputs: dims, outputs: hidden, bias, quantization });
    this.#down = new Linear(weights, `${path}.down_proj`, { inputs: hidden, outputs: dims, bias, quantization });
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

  constructor(weights: Weights, path: string, config: LlamaTextConfig, rope: Rope, quantization?: QuantizationConfig) {
    this.#attention = new Attention(weights, `${path}.self_attn`, config, rope, quantization);
    this.#mlp = new MLP(weights, `${path}.mlp`, config, quantization);
    this.#inputNorm = new RmsNorm(weights, `${path}.input_layernorm`, config.hidden_size, config.rms_norm_eps);
    this.#postNorm = new RmsNorm(weights, `${path}.post_attention_layernorm`, config.hidden_size, config.rms_norm_eps);
  }

  forward(x: Tensor, pass: Pass, memory: Memory<AttentionCache> | undefined): Tensor {
    const attended = add(x, this.#attention.forward(this.#inputNorm.forward(x), pass, memory));
    return add(attended, this.#mlp.forward(this.#postNorm.forward(attended)));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#attention, this.#mlp, this.#inputNorm, this.#postNorm);
  }
}

/** A Llama-like decoder from token embeddings (at `path`) to logits (`lm_head`, or the embeddings again): all that a language half is. */
export class LlamaTextModel implements Disposable {
  readonly #config: LlamaTextConfig;
  readonly #rope: Rope;
  readonly #embedTokens: Embedding;
  readonly #layers: DecoderLayer[];
  readonly #norm: RmsNorm;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, path: string, config: LlamaTextConfig, quantization?: QuantizationConfig) {
    const { hidden_size: dims, vocab_size: vocabSize, rope } = config;
    this.#config = config;
    this.#rope = new Rope({ dims: config.head_dim, base: rope.base, scaling: rope.scaling, maxPositions: config.max_position_embeddings });
    this.#embedTokens = new Embedding(weights, `${path}.embed_tokens`, { vocabSize, dims, quantization });
    this.#layers = Array.from({ length: config.num_hidden_layers }, (_, i) => new DecoderLayer(weights, `${path}.layers.${i}`, config, this.#rope, quantization));
    this.#norm = new RmsNorm(weights, `${path}.norm`, dims, config.rms_norm_eps);
    // MLX's tools write the head of some tied models out; its own quantisation may be finer than that of the embeddings.
    this.#lmHead = outputHead(weights, { embeddings: `${path}.embed_tokens`, tied: config.tie_word_embeddings, inputs: dims, outputs: vocabSize, quantization });
  }

  createCache(): AttentionCache[] {
    return this.#layers.map(() => attentionCache(this.#config.sliding_window));
  }

  /** ids `[B, L]` → `[B, L, D]` */
  embed(ids: Tensor): Tensor {
    return this.#embedTokens.forward(ids);
  }

  /** Positions count up, through pictures too. */
  plan({ tokenIds }: Prompt): PromptPlan {
    const { length } = tokenIds;
    return { rows: (start) => ({ rotary: { offset: start, length } }), next: length };
  }

  /** Hidden states `[B, L, D]`, after the last norm. */
  forward({ embeddings, rotary }: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    const { sliding_window: window, query_scaling } = this.#config;
    const rows = embeddings.dim(1);
    const mask = attentionMask({ rows, past: rowsBefore(cache?.[0], rows), window });
    const pass = { rotary, mask, scale: query_scaling && queryScale(query_scaling, rotary, rows, embeddings.dtype) };
    let hidden = embeddings;
    this.#layers.forEach((layer, i) => (hidden = layer.forward(hidden, pass, cache?.[i])));
    return this.#norm.forward(hidden);
  }

  /** Hidden states `[..., D]` → logits `[..., vocab]`. */
  logits(hidden: Tensor): Tensor {
    return this.#lmHead?.forward(hidden) ?? this.#embedTokens.asLinear(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#rope, this.#embedTokens, this.#layers, this.#norm, this.#lmHead);
  }
}
