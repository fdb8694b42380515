import { KVCache } from "../../cache/kv-cache.js";
import { add, gelu, slice, type Tensor } from "../../mlx/index.js";
import { Embedding, Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm } from "../../nn/norm.js";
import type { Weights } from "../../nn/weights.js";
import { WhisperAttention, type KeyValues } from "./attention.js";
import type { WhisperConfig } from "./config.js";
import { EPS } from "./encoder.js";

class DecoderLayer implements Disposable {
  readonly #norm: LayerNorm;
  readonly #attention: WhisperAttention;
  readonly #crossNorm: LayerNorm;
  readonly #cross: WhisperAttention;
  readonly #finalNorm: LayerNorm;
  readonly #fc1: Linear;
  readonly #fc2: Linear;

  constructor(weights: Weights, path: string, { d_model: dims, decoder_attention_heads: heads, decoder_ffn_dim: hidden, quantization }: WhisperConfig) {
    this.#norm = new LayerNorm(weights, `${path}.self_attn_layer_norm`, dims, EPS);
    this.#attention = new WhisperAttention(weights, `${path}.self_attn`, { dims, heads, quantization });
    this.#crossNorm = new LayerNorm(weights, `${path}.encoder_attn_layer_norm`, dims, EPS);
    this.#cross = new WhisperAttention(weights, `${path}.encoder_attn`, { dims, heads, quantization });
    this.#finalNorm = new LayerNorm(weights, `${path}.final_layer_norm`, dims, EPS);
    this.#fc1 = new Linear(weights, `${path}.fc1`, { inputs: dims, outputs: hidden, bias: true, quantization });
    this.#fc2 = new Linear(weights, `${path}.fc2`, { inputs: hidden, outputs: dims, bias: true, quantization });
  }

  /** Keys and values of the sound, for every step to use. */
  listen(encoded: Tensor): KeyValues {
    return this.#cross.keyValues(encoded);
  }

  /** `onAttention` is given how much each row attends to each row of the sound, `[B, H, L, S]`. */
  forward(x: Tensor, heard: KeyValues, cache: KVCache, onAttention?: (weights: Tensor) => void): Tensor {
    const attended = add(x, this.#attention.forward(this.#norm.forward(x), cache));
    const query = this.#crossNorm.forward(attended);
    onAttention?.(this.#cross.weights(query, heard.keys));
    const informed = add(attended, this.#cross.attend(query, heard));
    return add(informed, this.#fc2.forward(gelu(this.#fc1.forward(this.#finalNorm.forward(informed)))));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm, this.#attention, this.#crossNorm, this.#cross, this.#finalNorm, this.#fc1, this.#fc2);
  }
}

/** Tokens to hidden states and logits, attending to an encoded sound. The output head is the token embedding. */
export class WhisperDecoder implements Disposable {
  readonly #tokens: Embedding;
  readonly #positions: Tensor;
  readonly #layers: DecoderLayer[];
  readonly #norm: LayerNorm;

  constructor(weights: Weights, path: string, config: WhisperConfig) {
    const { d_model: dims, vocab_size: vocabSize, max_target_positions, quantization } = config;
    this.#tokens = new Embedding(weights, `${path}.embed_tokens`, { vocabSize, dims, quantization });
    this.#positions = weights.take(`${path}.embed_positions.weight`, [max_target_positions, dims]);
    this.#layers = Array.from({ length: config.decoder_layers }, (_, i) => new DecoderLayer(weights, `${path}.layers.${i}`, config));
    this.#norm = new LayerNorm(weights, `${path}.layer_norm`, dims, EPS);
  }

  createCache(): KVCache[] {
    return this.#layers.map(() => new KVCache());
  }

  /** Encoded sound `[B, S, D]` → keys and values, one pair a layer. */
  listen(encoded: Tensor): KeyValues[] {
    return this.#layers.map((layer) => layer.listen(encoded));
  }

  /**
   * ids `[B, L]`, after the rows the cache holds → hidden states `[B, L, D]`. With `attention`, each layer's weights on the rows of
   * the sound, `[B, H, L, S]`, are put into it.
   */
  forward(ids: Tensor, heard: readonly KeyValues[], cache: readonly KVCache[], attention?: Tensor[]): Tensor {
    const start = cache[0]?.length ?? 0;
    let hidden = add(this.#tokens.forward(ids), slice(this.#positions, 0, start, start + ids.dim(1)));
    this.#layers.forEach((layer, i) => {
      hidden = layer.forward(hidden, heard[i]!, cache[i]!, attention === undefined ? undefined : (weights) => attention.push(weights));
    });
    return this.#norm.forward(hidden);
  }

  /** Hidden states `[..., D]` → logits `[..., vocab]`. */
  logits(hidden: Tensor): Tensor {
    return this.#tokens.asLinear(hidden);
  }

  [Symbol.dispose](): void {
    this.#positions.dispose();
    disposeModules(this.#tokens, this.#layers, this.#norm);
  }
}
