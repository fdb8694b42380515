import type { LayoutAliases } from "../../nn/weights.js";
import type { WhisperConfig } from "./config.js";

const ATTENTION = [
  ["query", "q_proj"],
  ["key", "k_proj"],
  ["value", "v_proj"],
  ["out", "out_proj"],
] as const;

const BLOCK = [
  ["attn_ln.", "self_attn_layer_norm."],
  ["cross_attn_ln.", "encoder_attn_layer_norm."],
  ["mlp_ln.", "final_layer_norm."],
  ["mlp1.", "fc1."],
  ["mlp2.", "fc2."],
  ...ATTENTION.map(([from, to]) => [`attn.${from}.`, `self_attn.${to}.`] as const),
  ...ATTENTION.map(([from, to]) => [`cross_attn.${from}.`, `encoder_attn.${to}.`] as const),
] as const;

/** OpenAI's names, which MLX's converters keep, in Hugging Face's. */
export function whisperAliases({ encoder_layers, decoder_layers }: WhisperConfig): LayoutAliases {
  const blocks = (side: string, layers: number): (readonly [string, string])[] =>
    Array.from({ length: layers }, (_, i) => BLOCK.map(([from, to]) => [`${side}.blocks.${i}.${from}`, `model.${side}.layers.${i}.${to}`] as const)).flat();
  return [
    ...blocks("encoder", encoder_layers),
    ...blocks("decoder", decoder_layers),
    ["encoder.conv", "model.encoder.conv"],
    ["encoder.ln_post.", "model.encoder.layer_norm."],
    ["decoder.ln.", "model.decoder.layer_norm."],
    ["decoder.token_embedding.", "model.decoder.embed_tokens."],
    ["decoder.positional_embedding", "model.decoder.embed_positions.weight"],
  ];
}
