import { attentionCache } from "../../cache/attention-cache.js";
import { rowsBefore, type Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import { add, reshape, siluMultiply, split, transpose, type Tensor } from "../../mlx/index.js";
import { attend } from "../../nn/attend.js";
import { attentionMask, type AttentionMask } from "../../nn/attention-mask.js";
import { Embedding, Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import { outputHead } from "../../nn/output-head.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { Rope } from "../../nn/rope.js";
import type { Rotary } from "../../nn/rotary.js";
import type { Weights } from "../../nn/weights.js";
import type { DecoderInput, Prompt, PromptPlan } from "../architecture.js";
import type { Phi3TextConfig } from "./config.js";

// Phi-3 and Phi-4 (arXiv:2404.14219): Llama's decoder with queries, keys and values in one matrix, and the two halves of the MLP in
// another; heads may be rotated in part, with frequencies for long sequences of their own; all layers may see a window.
// Reference: transformers 5.23, models/phi3/modeling_phi3.py.

class Attention implements Disposable {
  readonly #config: Phi3TextConfig;
  readonly #rope: Rope;
  readonly #qkv: Linear;
  readonly #o: Linear;

  constructor(weights: Weights, path: string, config: Phi3TextConfig, rope: Rope, quantization?: QuantizationConfig) {
    const { hidden_size: dims, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = config;
    this.#config = config;
    this.#rope = rope;
    this.#qkv = new Linear(weights, `${path}.qkv_proj`, { inputs: dims, outputs: (heads + 2 * kvHeads) * headDim, bias: false, quantization });
    this.#o = new Linear(weights, `${path}.o_proj`, { inputs: heads * headDim, outputs: dims, bias: false, quantization });
  }

  /** x `[B, L, D]` */
  forward(x: Tensor, rotary: Rotary, mask: AttentionMask, memory: Memory<AttentionCache> | undefined): Tensor {
    const [batch, length] = x.shape as [number, number, number];
    const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = this.#config;
    const all = transpose(reshape(this.#qkv.forward(x), [batch, length, heads + 2 * kvHeads, headDim]), [0, 2, 1, 3]);
    const [q, k, v] = split(all, [heads, heads + kvHeads], 1) as [Tensor, Tensor, Tensor];
    const rotated = this.#rope.apply(k, rotary);
    const y = attend([this.#rope.apply(q, rotary), rotated, v], { scale: headDim ** -0.5, mask, memory });
    return this.#o.forward(reshape(transpose(y, [0, 2, 1, 3]), [batch, length, heads * headDim]));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#qkv, this.#o);
  }
}

class DecoderLayer implements Disposable {
  readonly #attention: Attention;
  readonly #gateUp: Linear;
  readonly #down: Linear;
  readonly #inputNorm: RmsNorm;
  readonly #postNorm: RmsNorm;

  constructor(weights: Weights, path: string, config: Phi3TextConfig, rope: Rope, quantization?: QuantizationConfig) {
    const { hidden_size: dims, intermediate_size: hidden, rms_norm_eps: eps } = config;
    this.#attention = new Attention(weights, `${path}.self_attn`, config, rope, quantization);
    this.#gateUp = new Linear(weights, `${path}.mlp.gate_up_proj`, { inputs: dims, outputs: 2 * hidden, bias: false, quantization });
    this.#down = new Linear(weights, `${path}.mlp.down_proj`, { inputs: hidden, outputs: dims, bias: false, quantization });
    this.#inputNorm = new RmsNorm(weights, `${path}.input_layernorm`, dims, eps);
    this.#postNorm = new RmsNorm(weights, `${path}.post_attention_layernorm`, dims, eps);
  }

  forward(x: Tensor, rotary: Rotary, mask: AttentionMask, memory: Memory<AttentionCache> | undefined): Tensor {
    const attended = add(x, this.#attention.forward(this.#inputNorm.forward(x), rotary, mask, memory));
    const both = this.#gateUp.forward(this.#postNorm.forward(attended));
    const [gate, up] = split(both, [both.dim(-1) / 2], -1) as [Tensor, Tensor];
    return add(attended, this.#down.forward(siluMultiply(gate, up)));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#attention, this.#gateUp, this.#down, this.#inputNorm, this.#postNorm);
  }
}

/** The decoder with its embeddings and output head, also of Phi-3-Vision. */
export class Phi3TextModel implements Disposable {
  readonly #window: number | undefined;
  readonly #rope: Rope;
  readonly #embedTokens: Embedding;
  readonly #layers: DecoderLayer[];
  readonly #norm: RmsNorm;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, config: Phi3TextConfig, quantization?: QuantizationConfig) {
    const { hidden_size: dims, vocab_size: vocabSize, max_position_embeddings: maxPositions, rope } = config;
    this.#window = config.sliding_window;
    this.#rope = new Rope({ dims: Math.floor(config.head_dim * rope.partialRotaryFactor), base: rope.base, scaling: rope.scaling, maxPositions });
    this.#embedTokens = new Embedding(weights, "model.embed_tokens", { vocabSize, dims, quantization });
    this.#layers = Array.from({ length: config.num_hidden_layers }, (_, i) => new DecoderLayer(weights, `model.layers.${i}`, config, this.#rope, quantization));
    this.#norm = new RmsNorm(weights, "model.norm", dims, config.rms_norm_eps);
    this.#lmHead = outputHead(weights, { embeddings: "model.embed_tokens", tied: config.tie_word_embeddings, inputs: dims, outputs: vocabSize, quantization });
  }

  /** Of longrope, `Architecture.lengthBorder`. */
  get lengthBorder(): number | undefined {
    return this.#rope.border;
  }

  createCache(): AttentionCache[] {
    return this.#layers.map(() => attentionCache(this.#window));
  }

  /** ids `[B, L]` → `[B, L, D]` */
  embed(ids: Tensor): Tensor {
    return this.#embedTokens.forward(ids);
  }

  /** Positions count up, through pictures too. */
  plan({ tokenIds: { length } }: Prompt): PromptPlan {
    return { rows: (start) => ({ rotary: { offset: start, length } }), next: length };
  }

  /** Hidden states `[B, L, D]`, after the last norm. */
  forward({ embeddings, rotary }: DecoderInput, caches?: Memory<AttentionCache>[]): Tensor {
    const rows = embeddings.dim(1);
    const mask = attentionMask({ rows, past: rowsBefore(caches?.[0], rows), window: this.#window });
    let hidden = embeddings;
    this.#layers.forEach((layer, i) => (hidden = layer.forward(hidden, rotary, mask, caches?.[i])));
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
