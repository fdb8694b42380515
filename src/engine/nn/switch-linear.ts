import { DeskhandError } from "../../core/errors.js";
import { concatenate, contiguous, disposeAll, gatherLinear, gatherQuantizedLinear, stack, Tensor, transpose, type Gather, type Quantization, type QuantizedMatrix } from "../mlx/index.js";
import { quantizationOf, type QuantizationConfig } from "./quantization.js";
import type { Weights } from "./weights.js";

/** Stacked matrices `[E, out, in]`, dense or quantised: each row of x `[N, in]` times the transpose of the one it asks for, `[N, out]`. */
export class SwitchLinear implements Disposable {
  readonly #weights: Tensor | { matrix: QuantizedMatrix; quantization: Quantization };

  /** Disposes the weights with itself. */
  constructor(weights: Tensor | { matrix: QuantizedMatrix; quantization: Quantization }) {
    this.#weights = weights;
  }

  /** A stack that is stored as one, under `path.weight`. */
  static load(weights: Weights, path: string, { experts, inputs, outputs, quantization: config }: { experts: number; inputs: number; outputs: number; quantization?: QuantizationConfig }): SwitchLinear {
    const quantization = quantizationOf(weights, path, config);
    if (quantization === undefined) return new SwitchLinear(weights.takeMatrix(`${path}.weight`, [experts, outputs, inputs]));
    const { bits, groupSize, mode } = quantization;
    if (inputs % groupSize !== 0) throw new DeskhandError("invalid_model", `Expected ${path} to have a multiple of ${groupSize} inputs (its quantisation group) but it has ${inputs}.`);
    const scales = [experts, outputs, inputs / groupSize];
    const matrix: QuantizedMatrix = {
      weight: weights.take(`${path}.weight`, [experts, outputs, (inputs * bits) / 32]),
      scales: weights.take(`${path}.scales`, scales),
      biases: mode === "affine" ? weights.take(`${path}.biases`, scales) : undefined,
    };
    return new SwitchLinear({ matrix, quantization });
  }

  forward(x: Tensor, gather: Gather): Tensor {
    if (this.#weights instanceof Tensor) return gatherLinear(x, this.#weights, gather);
    return gatherQuantizedLinear(x, this.#weights.matrix, this.#weights.quantization, gather);
  }

  [Symbol.dispose](): void {
    if (this.#weights instanceof Tensor) return this.#weights.dispose();
    const { weight, scales, biases } = this.#weights.matrix;
    disposeAll(biases === undefined ? [weight, scales] : [weight, scales, biases]);
  }
}

export interface ExpertsOptions {
  experts: number;
  dims: number;
  hidden: number;
  quantization?: QuantizationConfig;
}

/** The matrices of all experts: gate and up in one where they are stored so or stacked by us. */
export type ExpertMatrices = { gateUp: SwitchLinear; down: SwitchLinear } | { gate: SwitchLinear; up: SwitchLinear; down: SwitchLinear };

/**
 * Binds the experts below `path` in the layout they are stored in: `switch_mlp.gate_proj` (MLX), `experts.gate_up_proj` (one
 * tensor for all, `[E, 2 · hidden, dims]`, or `[E, dims, 2 · hidden]` as Qwen3-VL's are published), `experts.N.gate_proj` (one each).
 */
export function loadExperts(weights: Weights, path: string, { experts, dims, hidden, quantization }: ExpertsOptions): ExpertMatrices {
  if (weights.has(`${path}.switch_mlp.gate_proj.weight`)) {
    const load = (name: string, inputs: number, outputs: number): SwitchLinear => SwitchLinear.load(weights, `${path}.switch_mlp.${name}`, { experts, inputs, outputs, quantization });
    return { gate: load("gate_proj", dims, hidden), up: load("up_proj", dims, hidden), down: load("down_proj", hidden, dims) };
  }
  if (weights.has(`${path}.experts.gate_up_proj`)) return loadFused(weights, `${path}.experts`, { experts, dims, hidden });
  return stackExperts(weights, `${path}.experts`, { experts, dims, hidden });
}

function loadFused(weights: Weights, path: string, { experts, dims, hidden }: ExpertsOptions): ExpertMatrices {
  const isShape = (name: string, rows: number, columns: number): boolean => weights.shapeOf(`${path}.${name}`).join() === [experts, rows, columns].join();
  // Of the two tensors at least one is not square, which tells.
  const inputsFirst = isShape("gate_up_proj", dims, 2 * hidden) && isShape("down_proj", hidden, dims);
  const load = (name: string, inputs: number, outputs: number): SwitchLinear => {
    const stored = weights.takeMatrix(`${path}.${name}`, inputsFirst ? [experts, inputs, outputs] : [experts, outputs, inputs]);
    if (!inputsFirst) return new SwitchLinear(stored);
    const matrices = weights.derive(() => contiguous(transpose(stored, [0, 2, 1])));
    stored.dispose();
    return new SwitchLinear(matrices);
  };
  return { gateUp: load("gate_up_proj", dims, 2 * hidden), down: load("down_proj", hidden, dims) };
}

function stackExperts(weights: Weights, path: string, { experts, dims, hidden }: ExpertsOptions): ExpertMatrices {
  const all = (make: (path: string) => Tensor[]): SwitchLinear => {
    const parts = Array.from({ length: experts }, (_, i) => make(`${path}.${i}`));
    const matrices = weights.derive(() => stack(parts.map((own) => (own.length === 1 ? (own[0] as Tensor) : concatenate(own, 0))), 0));
    disposeAll(parts.flat());
    return new SwitchLinear(matrices);
  };
  return {
    gateUp: all((expert) => ["gate_proj", "up_proj"].map((name) => weights.takeMatrix(`${expert}.${name}.weight`, [hidden, dims]))),
    down: all((expert) => [weights.takeMatrix(`${expert}.down_proj.weight`, [dims, hidden])]),
  };
}
