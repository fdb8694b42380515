import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { astype, multiply, repeat, slice, take, tensor, type Tensor } from "../mlx/index.js";

// Weights in 8-bit floats with a scale for each block of a matrix, or one for all of it, as DeepSeek-V3 (arXiv:2412.19437) and Qwen3's FP8
// folders have them. They are made plain when they are read: what the reference computes where its device has no such products.

const positive = z.number().int().positive();

/** `quantization_config` of a config.json that Hugging Face's libraries wrote. */
export const Fp8Config = z.looseObject({
  quant_method: z.literal("fp8", "Expected fp8: use the model's plain folder, or one that MLX's tools quantised"),
  fmt: z.literal("e4m3").nullish(),
  /** Rows and columns of a block; `null`: one scale a matrix. */
  weight_block_size: z.tuple([positive, positive]).nullish(),
});
export type Fp8Config = z.output<typeof Fp8Config>;

/** `quantization_config` without what MLX's tools repeat there. */
export function quantizedElsewhere(value: unknown): unknown {
  return typeof value === "object" && value !== null && "quant_method" in value ? value : undefined;
}

/** Names of what is stored beside a matrix. */
export const FP8_SCALE = "_scale_inv";
/** Ranges of activations: nothing is rounded to 8 bits here but weights. */
export const FP8_ACTIVATIONS = ".activation_scale";

/** The numbers of bytes in E4M3 without infinities: sign, 4 bits of exponent (bias 7), 3 of mantissa. */
const VALUES = Float32Array.from({ length: 256 }, (_, byte) => {
  const [sign, exponent, mantissa] = [byte & 0x80 ? -1 : 1, (byte >> 3) & 0xf, byte & 0x7];
  if (exponent === 0xf && mantissa === 0x7) return NaN;
  return sign * (exponent === 0 ? (mantissa / 8) * 2 ** -6 : (1 + mantissa / 8) * 2 ** (exponent - 7));
});

/**
 * Bytes `[out, in]` and their scales to float32 `[out, in]`.
 * @throws DeskhandError `invalid_model` when there are not as many scales as blocks.
 */
export function dequantizeFp8(path: string, bytes: Tensor, scales: Tensor, { weight_block_size: block }: Fp8Config): Tensor {
  const plain = take(tensor(VALUES), astype(bytes, "uint32"), 0);
  const [rows, columns] = bytes.shape as [number, number];
  const expected = block == null ? [] : [Math.ceil(rows / block[0]), Math.ceil(columns / block[1])];
  const found = scales.size === 1 && block == null ? [] : scales.shape;
  if (found.join() !== expected.join()) {
    throw new DeskhandError("invalid_model", `Expected ${path}${FP8_SCALE} of shape [${expected.join(", ")}], one scale for each block of quantization_config.weight_block_size, but received [${scales.shape.join(", ")}].`);
  }
  const wide = astype(scales, "float32");
  if (block == null) return multiply(plain, wide);
  return multiply(plain, slice(slice(repeat(repeat(wide, block[0], 0), block[1], 1), 0, 0, rows), 1, 0, columns));
}
