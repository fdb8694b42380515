import { randomFillSync } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Qwen3-0.6B's shape (596 M parameters), as its config.json has it. */
const CONFIG = {
  model_type: "qwen3",
  hidden_size: 1024,
  num_hidden_layers: 28,
  intermediate_size: 3072,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 128,
  rms_norm_eps: 1e-6,
  vocab_size: 151_936,
  max_position_embeddings: 40_960,
  tie_word_embeddings: true,
  rope_theta: 1_000_000,
};

/** A folder with random bfloat16 weights of Qwen3-0.6B's shape: speed does not depend on what they say. Made once, 1.2 GB, under build/. */
export async function randomQwen3(): Promise<string> {
  const dir = fileURLToPath(new URL("../build/bench/qwen3-0.6b-random", import.meta.url));
  if (existsSync(dir)) return dir;
  const partial = `${dir}.${process.pid}`;
  await mkdir(partial, { recursive: true });
  try {
    await writeFile(`${partial}/config.json`, JSON.stringify(CONFIG));
    await writeWeights(`${partial}/model.safetensors`);
    await rename(partial, dir);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return dir;
}

function shapes(): [string, number[]][] {
  const { hidden_size: dims, intermediate_size: hidden, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = CONFIG;
  const layers = Array.from({ length: CONFIG.num_hidden_layers }, (_, i): [string, number[]][] => {
    const at = `model.layers.${i}`;
    return [
      [`${at}.self_attn.q_proj.weight`, [heads * headDim, dims]],
      [`${at}.self_attn.k_proj.weight`, [kvHeads * headDim, dims]],
      [`${at}.self_attn.v_proj.weight`, [kvHeads * headDim, dims]],
      [`${at}.self_attn.o_proj.weight`, [dims, heads * headDim]],
      [`${at}.self_attn.q_norm.weight`, [headDim]],
      [`${at}.self_attn.k_norm.weight`, [headDim]],
      [`${at}.mlp.gate_proj.weight`, [hidden, dims]],
      [`${at}.mlp.up_proj.weight`, [hidden, dims]],
      [`${at}.mlp.down_proj.weight`, [dims, hidden]],
      [`${at}.input_layernorm.weight`, [dims]],
      [`${at}.post_attention_layernorm.weight`, [dims]],
    ];
  });
  return [["model.embed_tokens.weight", [CONFIG.vocab_size, dims]], ...layers.flat(), ["model.norm.weight", [dims]]];
}

async function writeWeights(path: string): Promise<void> {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, shape] of shapes()) {
    const begin = end;
    end += 2 * shape.reduce((a, b) => a * b);
    header[name] = { dtype: "BF16", shape, data_offsets: [begin, end] };
  }
  // Padded as the reference writer does, so that every tensor is aligned and can be used where it lies.
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = await open(path, "w");
  try {
    await file.write(length);
    await file.write(text);
    const block = smallNumbers(1 << 23);
    for (let left = end; left > 0; left -= block.length) await file.write(block, 0, Math.min(left, block.length));
  } finally {
    await file.close();
  }
}

/** bfloat16 between 2^-7 and 2^-5 in size, either sign. */
function smallNumbers(count: number): Uint8Array {
  const bits = randomFillSync(new Uint16Array(count));
  for (let i = 0; i < count; i++) bits[i] = (bits[i]! & 0x80ff) | 0x3c00;
  return new Uint8Array(bits.buffer);
}
