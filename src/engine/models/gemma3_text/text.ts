import { attentionCache } from "../../cache/attention-cache.js";
import { rowsBefore, type Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import { add, geluTanh, multiply, reshape, transpose, type Tensor } from "../../mlx/index.js";
import { attend } from "../../nn/attend.js";
import { attentionMask, type AttentionMask } from "../../nn/attention-mask.js";
import { Embedding, Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { Rope } from "../../nn/rope.js";
import type { Rotary } from "../../nn/rotary.js";
import type { Weights } from "../../nn/weights.js";
import type { DecoderInput } from "../architecture.js";
import type { Gemma3TextFields } from "./config.js";

// Gemma 3's decoder (arXiv:2503.19786): five layers that see a window for each that sees all, norms before and after each half,
// RMS norms on queries and keys, embeddings scaled by the root of their width.
// Reference: transformers 5.23, models/gemma3/modeling_gemma3.py.

type LayerType = Gemma3TextFields["layer_types"][number];

function gemmaNorm(weights: Weights, path: string, dims: number, eps: number): RmsNorm {
  return new RmsNorm(weights, path, dims, eps, { fromOne: true });
}

class Attention implements Disposable {
  readonly #config: Gemma3TextFields;
  readonly #rope: Rope;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #o: Linear;
  readonly #qNorm: RmsNorm;
  readonly #kNorm: RmsNorm;

  constructor(weights: Weights, path: string, config: Gemma3TextFields, rope: Rope, quantization?: QuantizationConfig) {
    const { hidden_size: dims, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = config;
    const linear = (name: string, inputs: number, outputs: number): Linear => new Linear(weights, `${path}.${name}`, { inputs, outputs, bias: false, quantization });
    this.#config = config;
    this.#rope = rope;
    this.#q = linear("q_proj", dims, heads * headDim);
    this.#k = linear("k_proj", dims, kvHeads * headDim);
    this.#v = linear("v_proj", dims, kvHeads * headDim);
    this.#o = linear("o_proj", heads * headDim, dims);
    this.#qNorm = gemmaNorm(weights, `${path}.q_norm`, headDim, config.rms_norm_eps);
    this.#kNorm = gemmaNorm(weights, `${path}.k_norm`, headDim, config.rms_norm_eps);
  }

  /** x `[B, L, D]` */
  forward(x: Tensor, rotary: Rotary, mask: AttentionMask, memory: Memory<AttentionCache> | undefined): Tensor {
    const [batch, length] = x.shape as [number, number, number];
    const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim, query_pre_attn_scalar: scalar } = this.#config;
    const split = (y: Tensor, count: number): Tensor => reshape(y, [batch, length, count, headDim]);
    const toHeads = (y: Tensor): Tensor => transpose(y, [0, 2, 1, 3]);

    const q = this.#rope.apply(toHeads(this.#qNorm.forward(split(this.#q.forward(x), heads))), rotary);
    const k = this.#rope.apply(toHeads(this.#kNorm.forward(split(this.#k.forward(x), kvHeads))), rotary);
    const v = toHeads(split(this.#v.forward(x), kvHeads));
    const y = attend([q, k, v], { scale: scalar ** -0.5, mask, memory });
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

  constructor(weights: Weights, path: string, { hidden_size: dims, intermediate_size: hidden }: Gemma3TextFields, quantization?: QuantizationConfig) {
    this.#gate = new Linear(weights, `${path}.gate_proj`, { inputs: dims, outputs: hidden, bias: false, quantization });
    this.#up = new Linear(weights, `${path}.up_proj`, { inputs: dims, outputs: hidden, bias: false, quantization });
    this.#down = new Linear(weights, `${path}.down_proj`, { inputs: hidden, outputs: dims, bias: false, quantization });
  }

  forward(x: Tensor): Tensor {
    return this.#down.forward(multiply(geluTanh(this.#gate.forward(x)), this.#up.forward(x)));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#gate, this.#up, this.#down);
  }
}

class DecoderLayer implements Disposable {
  readonly type: LayerType;
  readonly #attention: Attention;
  readonly #mlp: MLP;
  readonly #norms: Record<"input" | "postAttention" | "preMlp" | "postMlp", RmsNorm>;

  constructor(weights: Weights, path: string, config: Gemma3TextFields, type: LayerType, rope: Rope, quantization?: QuantizationConfig) {
    const norm = (name: string): RmsNorm => gemmaNorm(weights, `${path}.${name}`, config.hidden_size, config.rms_norm_eps);
    this.type = type;
    this.#attention = new Attention(weights, `${path}.self_attn`, config, rope, quantization);
    this.#mlp = new MLP(weights, `${path}.mlp`, config, quantization);
    this.#norms = { input: norm("input_layernorm"), postAttention: norm("post_attention_layernorm"), preMlp: norm("pre_feedforward_layernorm"), postMlp: norm("post_feedforward_layernorm") };
  }

  forward(x: Tensor, rotary: Rotary, mask: AttentionMask, memory: Memory<AttentionCache> | undefined): Tensor {
    const { input, postAttention, preMlp, postMlp } = this.#norms;
    const attended = add(x, postAttention.forward(this.#attention.forward(input.forward(x), rotary, mask, memory)));
    return add(attended, postMlp.forward(this.#mlp.forward(preMlp.forward(attended))));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#attention, this.#mlp, ...Object.values(this.#norms));
  }
}

export class Gemma3Decoder implements Disposable {
  readonly #config: Gemma3TextFields;
  readonly #embedTokens: Embedding;
  readonly #ropes: Record<LayerType, Rope>;
  readonly #layers: DecoderLayer[];
  readonly #norm: RmsNorm;

  constructor(weights: Weights, path: string, config: Gemma3TextFields, quantization?: QuantizationConfig) {
    const { hidden_size: dims, head_dim, max_position_embeddings: maxPositions, rope } = config;
    this.#config = config;
    this.#embedTokens = new Embedding(weights, `${path}.embed_tokens`, { vocabSize: config.vocab_size, dims, quantization });
    this.#ropes = {
      full_attention: new Rope({ dims: head_dim, maxPositions, ...rope.full_attention }),
      sliding_attention: new Rope({ dims: head_dim, maxPositions, ...rope.sliding_attention }),
    };
    this.#layers = config.layer_types.map((type, i) => new DecoderLayer(weights, `${path}.layers.${i}`, config, type, this.#ropes[type], quantization));
    this.#norm = gemmaNorm(weights, `${path}.norm`, dims, config.rms_norm_eps);
  }

  createCache(): AttentionCache[] {
    return this.#config.layer_types.map((type) => attentionCache(this.#windowOf(type)));
  }

  /** ids `[B, L]` → `[B, L, D]`, scaled. */
  embed(ids: Tensor): Tensor {
    return multiply(this.#embedTokens.forward(ids), Math.sqrt(this.#config.hidden_size));
  }

  forward({ embeddings, rotary, groups }: DecoderInput, caches?: Memory<AttentionCache>[]): Tensor {
    const rows = embeddings.dim(1);
    const masks = new Map<LayerType, AttentionMask>();
    let hidden = embeddings;
    this.#layers.forEach((layer, i) => {
      const memory = caches?.[i];
      // Layers of one kind see the same rows.
      if (!masks.has(layer.type)) {
        masks.set(layer.type, attentionMask({ rows, past: rowsBefore(memory, rows), groups, window: this.#windowOf(layer.type) }));
      }
      hidden = layer.forward(hidden, rotary, masks.get(layer.type), memory);
    });
    return this.#norm.forward(hidden);
  }

  #windowOf(type: LayerType): number | undefined {
    return type === "sliding_attention" ? this.#config.sliding_window : undefined;
  }

  /** Hidden states `[..., D]` → logits `[..., vocab]`, by the embeddings. */
  tiedLogits(hidden: Tensor): Tensor {
    return this.#embedTokens.asLinear(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#embedTokens, Object.values(this.#ropes), this.#layers, this.#norm);
  }
}
