import { KVCache } from "../../cache/kv-cache.js";
import { add, reshape, scaledDotProductAttention, siluMultiply, split, transpose, type Tensor } from "../../mlx/index.js";
import { Embedding, Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import { Rope } from "../../nn/rope.js";
import type { Rotary } from "../../nn/rotary.js";
import type { Weights } from "../../nn/weights.js";
import type { DecoderInput, Prompt, PromptPlan } from "../architecture.js";
import type { Phi3VConfig } from "./config.js";

// Phi-3's decoder (arXiv:2404.14219): a Llama with joined projections, and longrope. Reference: mlx-vlm 0.7.10, models/phi3_v.

class Attention implements Disposable {
  readonly #config: Phi3VConfig;
  readonly #rope: Rope;
  readonly #qkv: Linear;
  readonly #o: Linear;

  constructor(weights: Weights, path: string, config: Phi3VConfig, rope: Rope) {
    const { hidden_size: dims, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim, quantization } = config;
    this.#config = config;
    this.#rope = rope;
    this.#qkv = new Linear(weights, `${path}.qkv_proj`, { inputs: dims, outputs: (heads + 2 * kvHeads) * headDim, bias: false, quantization });
    this.#o = new Linear(weights, `${path}.o_proj`, { inputs: heads * headDim, outputs: dims, bias: false, quantization });
  }

  /** x `[B, L, D]` */
  forward(x: Tensor, rotary: Rotary, cache: KVCache | undefined): Tensor {
    const [batch, length] = x.shape as [number, number, number];
    const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = this.#config;
    const [q, k, v] = split(transpose(reshape(this.#qkv.forward(x), [batch, length, heads + 2 * kvHeads, headDim]), [0, 2, 1, 3]), [heads, heads + kvHeads], 1) as [Tensor, Tensor, Tensor];
    const rotated = this.#rope.apply(k, rotary);
    const { keys, values } = cache?.update(rotated, v) ?? { keys: rotated, values: v };
    const y = scaledDotProductAttention(this.#rope.apply(q, rotary), keys, values, headDim ** -0.5, length > 1 ? "causal" : undefined);
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

  constructor(weights: Weights, path: string, config: Phi3VConfig, rope: Rope) {
    const { hidden_size: dims, intermediate_size: hidden, rms_norm_eps: eps, quantization } = config;
    this.#attention = new Attention(weights, `${path}.self_attn`, config, rope);
    this.#gateUp = new Linear(weights, `${path}.mlp.gate_up_proj`, { inputs: dims, outputs: 2 * hidden, bias: false, quantization });
    this.#down = new Linear(weights, `${path}.mlp.down_proj`, { inputs: hidden, outputs: dims, bias: false, quantization });
    this.#inputNorm = new RmsNorm(weights, `${path}.input_layernorm`, dims, eps);
    this.#postNorm = new RmsNorm(weights, `${path}.post_attention_layernorm`, dims, eps);
  }

  forward(x: Tensor, rotary: Rotary, cache: KVCache | undefined): Tensor {
    const attended = add(x, this.#attention.forward(this.#inputNorm.forward(x), rotary, cache));
    const joined = this.#gateUp.forward(this.#postNorm.forward(attended));
    const [gate, up] = split(joined, [joined.dim(-1) / 2], -1) as [Tensor, Tensor];
    return add(attended, this.#down.forward(siluMultiply(gate, up)));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#attention, this.#gateUp, this.#down, this.#inputNorm, this.#postNorm);
  }
}

export class TextModel implements Disposable {
  readonly #rope: Rope;
  readonly #embedTokens: Embedding;
  readonly #layers: DecoderLayer[];
  readonly #norm: RmsNorm;
  readonly #lmHead: Linear;

  constructor(weights: Weights, config: Phi3VConfig) {
    const { hidden_size: dims, vocab_size: vocabSize, head_dim, max_position_embeddings: maxPositions, rope, quantization } = config;
    this.#rope = new Rope({ dims: head_dim, base: rope.base, scaling: rope.scaling, maxPositions });
    this.#embedTokens = new Embedding(weights, "model.embed_tokens", { vocabSize, dims, quantization });
    this.#layers = Array.from({ length: config.num_hidden_layers }, (_, i) => new DecoderLayer(weights, `model.layers.${i}`, config, this.#rope));
    this.#norm = new RmsNorm(weights, "model.norm", dims, config.rms_norm_eps);
    this.#lmHead = new Linear(weights, "lm_head", { inputs: dims, outputs: vocabSize, bias: false, quantization });
  }

  createCache(): KVCache[] {
    return this.#layers.map(() => new KVCache());
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
  forward({ embeddings, rotary }: DecoderInput, cache?: KVCache[]): Tensor {
    let hidden = embeddings;
    this.#layers.forEach((layer, i) => (hidden = layer.forward(hidden, rotary, cache?.[i])));
    return this.#norm.forward(hidden);
  }

  /** Hidden states `[..., D]` → logits `[..., vocab]`. */
  logits(hidden: Tensor): Tensor {
    return this.#lmHead.forward(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#rope, this.#embedTokens, this.#layers, this.#norm, this.#lmHead);
  }
}
