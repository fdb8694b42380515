import { mkdir, writeFile } from "node:fs/promises";
import { multiply, randomKey, randomNormal, SafetensorsWriter, scope } from "../src/engine/mlx/index.js";

/** Kinds of decoders whose cost grows differently with the context. */
export const KINDS = ["dense", "experts", "sliding window"] as const;
export type Kind = (typeof KINDS)[number];

const DIMS = 256;
const HEADS = 4;
const KV_HEADS = 2;
const HEAD_DIM = 64;
const HIDDEN = 768;
const EXPERTS = 8;
const LAYERS = 6;
const VOCABULARY = 1024;
const WINDOW = 512;

const COMMON = {
  hidden_size: DIMS,
  num_hidden_layers: LAYERS,
  intermediate_size: HIDDEN,
  num_attention_heads: HEADS,
  num_key_value_heads: KV_HEADS,
  head_dim: HEAD_DIM,
  rms_norm_eps: 1e-6,
  vocab_size: VOCABULARY,
  max_position_embeddings: 32_768,
  tie_word_embeddings: true,
};

const CONFIGS: Readonly<Record<Kind, object>> = {
  dense: { ...COMMON, model_type: "qwen3", rope_theta: 1_000_000 },
  experts: { ...COMMON, model_type: "qwen3_moe", rope_theta: 1_000_000, num_experts: EXPERTS, num_experts_per_tok: 2, moe_intermediate_size: HIDDEN / 2, norm_topk_prob: true, decoder_sparse_step: 1, mlp_only_layers: [] },
  // One layer in six sees everything, as in Gemma 3.
  "sliding window": { ...COMMON, model_type: "gemma3_text", hidden_activation: "gelu_pytorch_tanh", query_pre_attn_scalar: HEAD_DIM, sliding_window: WINDOW, sliding_window_pattern: LAYERS, rope_theta: 1_000_000, rope_local_base_freq: 10_000 },
};

/** Makes a folder with a small model of random bfloat16 weights: speed does not depend on what they say. */
export async function writeRandomModel(kind: Kind, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(`${dir}/config.json`, JSON.stringify(CONFIGS[kind]));
  const shapes = shapesOf(kind);
  // bfloat16: two bytes a number.
  const heads = shapes.map(([name, shape]) => ({ name, shape, dtype: "bfloat16" as const, nbytes: 2 * shape.reduce((a, b) => a * b) }));
  const writer = await SafetensorsWriter.create(`${dir}/model.safetensors`, heads);
  for (const [seed, { name, shape }] of heads.entries()) {
    const weight = scope(() => multiply(randomNormal(shape, randomKey(seed), "bfloat16"), 1 / Math.sqrt(DIMS)));
    try {
      await writer.write(name, weight);
    } finally {
      weight.dispose();
    }
  }
  await writer.close();
}

function shapesOf(kind: Kind): [string, number[]][] {
  const norms = kind === "sliding window" ? ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"] : ["input_layernorm", "post_attention_layernorm"];
  const layers = Array.from({ length: LAYERS }, (_, i): [string, number[]][] => {
    const at = `model.layers.${i}`;
    return [
      [`${at}.self_attn.q_proj.weight`, [HEADS * HEAD_DIM, DIMS]],
      [`${at}.self_attn.k_proj.weight`, [KV_HEADS * HEAD_DIM, DIMS]],
      [`${at}.self_attn.v_proj.weight`, [KV_HEADS * HEAD_DIM, DIMS]],
      [`${at}.self_attn.o_proj.weight`, [DIMS, HEADS * HEAD_DIM]],
      [`${at}.self_attn.q_norm.weight`, [HEAD_DIM]],
      [`${at}.self_attn.k_norm.weight`, [HEAD_DIM]],
      ...norms.map((norm): [string, number[]] => [`${at}.${norm}.weight`, [DIMS]]),
      ...(kind === "experts" ? experts(`${at}.mlp`) : mlp(`${at}.mlp`)),
    ];
  });
  return [["model.embed_tokens.weight", [VOCABULARY, DIMS]], ...layers.flat(), ["model.norm.weight", [DIMS]]];
}

function mlp(at: string): [string, number[]][] {
  return [
    [`${at}.gate_proj.weight`, [HIDDEN, DIMS]],
    [`${at}.up_proj.weight`, [HIDDEN, DIMS]],
    [`${at}.down_proj.weight`, [DIMS, HIDDEN]],
  ];
}

function experts(at: string): [string, number[]][] {
  return [
    [`${at}.gate.weight`, [EXPERTS, DIMS]],
    [`${at}.switch_mlp.gate_proj.weight`, [EXPERTS, HIDDEN / 2, DIMS]],
    [`${at}.switch_mlp.up_proj.weight`, [EXPERTS, HIDDEN / 2, DIMS]],
    [`${at}.switch_mlp.down_proj.weight`, [EXPERTS, DIMS, HIDDEN / 2]],
  ];
}
