import type { Memory } from "../../cache/batch-cache.js";
import { KVCache } from "../../cache/kv-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import { add, reshape, siluMultiply, transpose, type Tensor } from "../../mlx/index.js";
import { attend } from "../../nn/attend.js";
import { Embedding, Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import { outputHead } from "../../nn/output-head.js";
import { Rope } from "../../nn/rope.js";
import type { Rotary } from "../../nn/rotary.js";
import type { LayoutAliases, Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, Prompt, PromptPlan } from "../architecture.js";
import type { Qwen3Config } from "./config.js";

// Qwen3 (arXiv:2505.09388): pre-norm decoder, grouped-query attention with RMS norms on queries and keys, SwiGLU.
// Reference: transformers 5.23, models/qwen3/modeling_qwen3.py.

/** A bare decoder, as models for embeddings are published, has its weights without the first word. */
export const QWEN3_ALIASES: LayoutAliases = ["layers.", "embed_tokens.", "norm."].map((name) => [name, `model.${name}`]);

/** What Qwen3's blocks take of a config; families built of them share it. */
export type Qwen3BlockConfig = Pick<Qwen3Config, "hidden_size" | "num_attention_heads" | "num_key_value_heads" | "head_dim" | "rms_norm_eps" | "max_position_embeddings" | "rope" | "quantization">;

export function qwen3BlockRope({ head_dim: dims, max_position_embeddings: maxPositions, rope }: Qwen3BlockConfig): Rope {
  return new Rope({ dims, base: rope.base, scaling: rope.scaling, maxPositions });
}

export class Attention implements Disposable {
  readonly #config: Qwen3BlockConfig;
  readonly #rope: Rope;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #o: Linear;
  readonly #qNorm: RmsNorm;
  readonly #kNorm: RmsNorm;

  /** @param rope shared by all layers, which dispose nothing of it. */
  constructor(weights: Weights, path: string, config: Qwen3BlockConfig, rope: Rope) {
    const { hidden_size: dims, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim, quantization } = config;
    const linear = (name: string, inputs: number, outputs: number): Linear => new Linear(weights, `${path}.${name}`, { inputs, outputs, bias: false, quantization });
    this.#config = config;
    this.#rope = rope;
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
    const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = this.#config;
    const split = (y: Tensor, count: number): Tensor => reshape(y, [batch, length, count, headDim]);
    const toHeads = (y: Tensor): Tensor => transpose(y, [0, 2, 1, 3]);

    const q = this.#rope.apply(toHeads(this.#qNorm.forward(split(this.#q.forward(x), heads))), rotary);
    const k = this.#rope.apply(toHeads(this.#kNorm.forward(split(this.#k.forward(x), kvHeads))), rotary);
    const v = toHeads(split(this.#v.forward(x), kvHeads));
    const y = attend([q, k, v], { scale: headDim ** -0.5, mask: length > 1 ? "causal" : undefined, memory });
    return this.#o.forward(reshape(transpose(y, [0, 2, 1, 3]), [batch, length, heads * headDim]));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#q, this.#k, this.#v, this.#o, this.#qNorm, this.#kNorm);
  }
}

export class MLP implements Disposable {
  readonly #gate: Linear;
  readonly #up: Linear;
  readonly #down: Linear;

  constructor(weights: Weights, path: string, { hidden_size: dims, intermediate_size: hidden, quantization }: Pick<Qwen3Config, "hidden_size" | "intermediate_size" | "quantization">) {
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

  constructor(weights: Weights, path: string, config: Qwen3Config, rope: Rope) {
    this.#attention = new Attention(weights, `${path}.self_attn`, config, rope);
    this.#mlp = new MLP(weights, `${path}.mlp`, config);
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

export class Qwen3Model implements Architecture {
  readonly modelType = "qwen3";
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds = [];
  readonly #rope: Rope;
  readonly #embedTokens: Embedding;
  readonly #layers: DecoderLayer[];
  readonly #norm: RmsNorm;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, config: Qwen3Config) {
    const { hidden_size: dims, vocab_size: vocabSize, quantization } = config;
    this.vocabSize = vocabSize;
    this.contextLength = config.max_position_embeddings;
    this.#rope = qwen3BlockRope(config);
    this.#embedTokens = new Embedding(weights, "model.embed_tokens", { vocabSize, dims, quantization });
    this.#layers = Array.from({ length: config.num_hidden_layers }, (_, i) => new DecoderLayer(weights, `model.layers.${i}`, config, this.#rope));
    this.#norm = new RmsNorm(weights, "model.norm", dims, config.rms_norm_eps);
    this.#lmHead = outputHead(weights, { embeddings: "model.embed_tokens", tied: config.tie_word_embeddings, inputs: dims, outputs: vocabSize, quantization });
  }

  createCache(): AttentionCache[] {
    return this.#layers.map(() => new KVCache());
  }

  embed(ids: Tensor): Tensor {
    return this.#embedTokens.forward(ids);
  }

  plan({ tokenIds: { length } }: Prompt): PromptPlan {
    return { rows: (start) => ({ rotary: { offset: start, length } }), next: length };
  }

  decode({ embeddings, rotary }: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    let hidden = embeddings;
    this.#layers.forEach((layer, i) => (hidden = layer.forward(hidden, rotary, cache?.[i])));
    return this.#norm.forward(hidden);
  }

  logits(hidden: Tensor): Tensor {
    return this.#lmHead?.forward(hidden) ?? this.#embedTokens.asLinear(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#rope, this.#embedTokens, this.#layers, this.#norm, this.#lmHead);
  }
}
