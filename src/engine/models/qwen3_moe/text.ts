import type { Memory } from "../../cache/batch-cache.js";
import { KVCache } from "../../cache/kv-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import { add, type Tensor } from "../../mlx/index.js";
import { Embedding } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import type { Rope } from "../../nn/rope.js";
import type { Rotary } from "../../nn/rotary.js";
import { SparseMoe } from "../../nn/sparse-moe.js";
import type { Weights } from "../../nn/weights.js";
import type { DecoderInput } from "../architecture.js";
import { Attention, MLP, qwen3BlockRope, type Qwen3BlockConfig } from "../qwen3/model.js";
import type { Qwen3MoeConfig } from "./config.js";

// Qwen3-MoE's decoder, and Qwen3-VL-MoE's: Qwen3's with a mixture of experts in place of most layers' MLP.
// Reference: transformers 5.23, models/qwen3_moe/modeling_qwen3_moe.py.

export type MoeDecoderConfig = Qwen3BlockConfig &
  Pick<
    Qwen3MoeConfig,
    "num_hidden_layers" | "vocab_size" | "intermediate_size" | "moe_intermediate_size" | "num_experts" | "num_experts_per_tok" | "norm_topk_prob" | "decoder_sparse_step" | "mlp_only_layers"
  >;

class DecoderLayer implements Disposable {
  readonly #attention: Attention;
  readonly #mlp: MLP | SparseMoe;
  readonly #inputNorm: RmsNorm;
  readonly #postNorm: RmsNorm;

  constructor(weights: Weights, path: string, index: number, config: MoeDecoderConfig, rope: Rope) {
    const { hidden_size: dims, rms_norm_eps: eps } = config;
    this.#attention = new Attention(weights, `${path}.self_attn`, config, rope);
    this.#mlp = hasExperts(config, index) ? makeMoe(weights, `${path}.mlp`, config) : new MLP(weights, `${path}.mlp`, config);
    this.#inputNorm = new RmsNorm(weights, `${path}.input_layernorm`, dims, eps);
    this.#postNorm = new RmsNorm(weights, `${path}.post_attention_layernorm`, dims, eps);
  }

  forward(x: Tensor, rotary: Rotary, memory: Memory<AttentionCache> | undefined): Tensor {
    const attended = add(x, this.#attention.forward(this.#inputNorm.forward(x), rotary, memory));
    return add(attended, this.#mlp.forward(this.#postNorm.forward(attended)));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#attention, this.#mlp, this.#inputNorm, this.#postNorm);
  }
}

function hasExperts({ mlp_only_layers, decoder_sparse_step }: MoeDecoderConfig, index: number): boolean {
  return !mlp_only_layers.includes(index) && (index + 1) % decoder_sparse_step === 0;
}

function makeMoe(weights: Weights, path: string, config: MoeDecoderConfig): SparseMoe {
  return new SparseMoe(weights, path, {
    experts: config.num_experts,
    active: config.num_experts_per_tok,
    dims: config.hidden_size,
    hidden: config.moe_intermediate_size,
    normalise: config.norm_topk_prob,
    quantization: config.quantization,
  });
}

export class MoeDecoder implements Disposable {
  readonly embedTokens: Embedding;
  readonly #rope: Rope;
  readonly #layers: DecoderLayer[];
  readonly #norm: RmsNorm;

  constructor(weights: Weights, path: string, config: MoeDecoderConfig) {
    const { hidden_size: dims, vocab_size: vocabSize, quantization } = config;
    this.#rope = qwen3BlockRope(config);
    this.embedTokens = new Embedding(weights, `${path}.embed_tokens`, { vocabSize, dims, quantization });
    this.#layers = Array.from({ length: config.num_hidden_layers }, (_, i) => new DecoderLayer(weights, `${path}.layers.${i}`, i, config, this.#rope));
    this.#norm = new RmsNorm(weights, `${path}.norm`, dims, config.rms_norm_eps);
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
    disposeModules(this.#rope, this.embedTokens, this.#layers, this.#norm);
  }
}
