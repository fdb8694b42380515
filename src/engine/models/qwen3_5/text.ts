import type { Memory } from "../../cache/batch-cache.js";
import { KVCache } from "../../cache/kv-cache.js";
import { RecurrentCache } from "../../cache/recurrent-cache.js";
import { add, multiply, sigmoid, type Tensor } from "../../mlx/index.js";
import { Embedding, Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import type { Rotary } from "../../nn/rotary.js";
import { SparseMoe } from "../../nn/sparse-moe.js";
import type { Weights } from "../../nn/weights.js";
import type { DecoderInput } from "../architecture.js";
import { MLP } from "../qwen3/model.js";
import { GatedAttention } from "./attention.js";
import type { Qwen35TextConfig } from "./config.js";
import { GatedDeltaNet } from "./gated-delta-net.js";

// Qwen3.5's decoder: most layers remember by a gated delta rule, every fourth attends.
// Reference: transformers 5.23, models/qwen3_5/modeling_qwen3_5.py and models/qwen3_5_moe/modeling_qwen3_5_moe.py.

export type Qwen35Cache = KVCache | RecurrentCache;

/** A mixture of experts, and one more that every row goes to, as far as its own gate opens. */
class SharedMoe implements Disposable {
  readonly #moe: SparseMoe;
  readonly #shared: MLP;
  readonly #gate: Linear;

  constructor(weights: Weights, path: string, { hidden_size: dims, quantization }: Qwen35TextConfig, { hidden, shared, experts, active }: { hidden: number; shared: number; experts: number; active: number }) {
    this.#moe = new SparseMoe(weights, path, { experts, active, dims, hidden, normalise: true, quantization });
    this.#shared = new MLP(weights, `${path}.shared_expert`, { hidden_size: dims, intermediate_size: shared, quantization });
    this.#gate = new Linear(weights, `${path}.shared_expert_gate`, { inputs: dims, outputs: 1, bias: false, quantization });
  }

  forward(x: Tensor): Tensor {
    return add(this.#moe.forward(x), multiply(sigmoid(this.#gate.forward(x)), this.#shared.forward(x)));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#moe, this.#shared, this.#gate);
  }
}

function makeMlp(weights: Weights, path: string, config: Qwen35TextConfig): MLP | SharedMoe {
  const { hidden_size, mlp, quantization } = config;
  return "experts" in mlp ? new SharedMoe(weights, path, config, mlp) : new MLP(weights, path, { hidden_size, intermediate_size: mlp.hidden, quantization });
}

class DecoderLayer implements Disposable {
  readonly #mixer: GatedAttention | GatedDeltaNet;
  readonly #mlp: MLP | SharedMoe;
  readonly #inputNorm: RmsNorm;
  readonly #postNorm: RmsNorm;

  constructor(weights: Weights, path: string, index: number, config: Qwen35TextConfig, norms: { fromOne: boolean }) {
    const { hidden_size: dims, rms_norm_eps: eps } = config;
    const attends = config.layer_types[index] === "full_attention";
    this.#mixer = attends ? new GatedAttention(weights, `${path}.self_attn`, config, norms) : new GatedDeltaNet(weights, `${path}.linear_attn`, config);
    this.#mlp = makeMlp(weights, `${path}.mlp`, config);
    this.#inputNorm = new RmsNorm(weights, `${path}.input_layernorm`, dims, eps, norms);
    this.#postNorm = new RmsNorm(weights, `${path}.post_attention_layernorm`, dims, eps, norms);
  }

  createCache(): Qwen35Cache {
    return this.#mixer instanceof GatedAttention ? new KVCache() : new RecurrentCache();
  }

  forward(x: Tensor, rotary: Rotary, memory: Memory<Qwen35Cache> | undefined): Tensor {
    const mixed = add(x, this.#mix(this.#inputNorm.forward(x), rotary, memory));
    return add(mixed, this.#mlp.forward(this.#postNorm.forward(mixed)));
  }

  /** The caches are those of `createCache`, or a batch of them. */
  #mix(x: Tensor, rotary: Rotary, memory: Memory<Qwen35Cache> | undefined): Tensor {
    if (this.#mixer instanceof GatedAttention) return this.#mixer.forward(x, rotary, memory as Memory<KVCache> | undefined);
    return this.#mixer.forward(x, memory as Memory<RecurrentCache> | undefined);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#mixer, this.#mlp, this.#inputNorm, this.#postNorm);
  }
}

export class TextModel implements Disposable {
  readonly embedTokens: Embedding;
  readonly #layers: DecoderLayer[];
  readonly #norm: RmsNorm;

  constructor(weights: Weights, path: string, config: Qwen35TextConfig) {
    const { hidden_size: dims, vocab_size: vocabSize, quantization } = config;
    const norms = { fromOne: !isConverted(weights, path) };
    this.embedTokens = new Embedding(weights, `${path}.embed_tokens`, { vocabSize, dims, quantization });
    this.#layers = config.layer_types.map((_, i) => new DecoderLayer(weights, `${path}.layers.${i}`, i, config, norms));
    this.#norm = new RmsNorm(weights, `${path}.norm`, dims, config.rms_norm_eps, norms);
  }

  createCache(): Qwen35Cache[] {
    return this.#layers.map((layer) => layer.createCache());
  }

  forward({ embeddings, rotary }: DecoderInput, cache?: Memory<Qwen35Cache>[]): Tensor {
    let hidden = embeddings;
    this.#layers.forEach((layer, i) => (hidden = layer.forward(hidden, rotary, cache?.[i])));
    return this.#norm.forward(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.embedTokens, this.#layers, this.#norm);
  }
}

/** Whether MLX's tools wrote the folder: they add 1 to the norms' weights, and put the convolutions' only input channel last. */
export function isConverted(weights: Weights, path: string): boolean {
  const kernel = weights.paths().find((name) => name.startsWith(path) && name.endsWith(".linear_attn.conv1d.weight"));
  return kernel !== undefined && weights.shapeOf(kernel).at(-1) === 1;
}
