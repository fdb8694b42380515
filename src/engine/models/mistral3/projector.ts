import { gelu, reshape, transpose, type Tensor } from "../../mlx/index.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import type { Weights } from "../../nn/weights.js";
import type { Mistral3Config } from "./config.js";

/** From the tower's patches to rows of the decoder's width: each merge block of patches becomes one. Reference: transformers 5.23, modeling_mistral3.py. */
export class Projector implements Disposable {
  readonly #merge: number;
  readonly #norm: RmsNorm;
  readonly #merging: Linear;
  readonly #linear1: Linear;
  readonly #linear2: Linear;

  constructor(weights: Weights, path: string, config: Mistral3Config) {
    const { vision_config, text_config, spatial_merge_size: merge, multimodal_projector_bias: bias, quantization } = config;
    const { hidden_size: dims } = vision_config;
    this.#merge = merge;
    this.#norm = new RmsNorm(weights, `${path}.norm`, dims, text_config.rms_norm_eps);
    this.#merging = new Linear(weights, `${path}.patch_merger.merging_layer`, { inputs: dims * merge ** 2, outputs: dims, bias: false, quantization });
    this.#linear1 = new Linear(weights, `${path}.linear_1`, { inputs: dims, outputs: text_config.hidden_size, bias, quantization });
    this.#linear2 = new Linear(weights, `${path}.linear_2`, { inputs: text_config.hidden_size, outputs: text_config.hidden_size, bias, quantization });
  }

  /** x `[1, rows · columns, D]` → `[blocks, text hidden]`, blocks row by row */
  forward(x: Tensor, rows: number, columns: number): Tensor {
    const merge = this.#merge;
    const grid = reshape(this.#norm.forward(x), [rows / merge, merge, columns / merge, merge, -1]);
    // Features of a block go by channel first and then by place, as torch's unfold lays them out.
    const blocks = reshape(transpose(grid, [0, 2, 4, 1, 3]), [(rows * columns) / merge ** 2, -1]);
    return this.#linear2.forward(gelu(this.#linear1.forward(this.#merging.forward(blocks))));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm, this.#merging, this.#linear1, this.#linear2);
  }
}
