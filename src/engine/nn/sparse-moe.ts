import { arange, argpartition, argsort, astype, divide, expandDims, multiply, negative, repeat, reshape, siluMultiply, slice, softmax, split, sum, take, takeAlongAxis, type Tensor } from "../mlx/index.js";
import { Linear } from "./linear.js";
import { disposeModules } from "./module.js";
import { loadExperts, type ExpertMatrices, type ExpertsOptions } from "./switch-linear.js";
import type { Weights } from "./weights.js";

/** From this many assignments of rows to experts on, rows are brought together by expert (as mlx-lm does). */
const WORTH_SORTING = 64;

export interface SparseMoeOptions extends ExpertsOptions {
  /** Experts that each row goes to. */
  active: number;
  /** Whether the weights of the chosen experts are made to sum to 1. */
  normalise: boolean;
}

/** A mixture of SwiGLU experts (arXiv:1701.06538): each row goes to those that the router rates highest, weighted by its softmax. */
export class SparseMoe implements Disposable {
  readonly #router: Linear;
  readonly #experts: ExpertMatrices;
  readonly #hidden: number;
  readonly #active: number;
  readonly #normalise: boolean;

  constructor(weights: Weights, path: string, options: SparseMoeOptions) {
    this.#router = new Linear(weights, `${path}.gate`, { inputs: options.dims, outputs: options.experts, bias: false, quantization: options.quantization });
    this.#experts = loadExperts(weights, path, options);
    this.#hidden = options.hidden;
    this.#active = options.active;
    this.#normalise = options.normalise;
  }

  /** x `[B, L, D]` */
  forward(x: Tensor): Tensor {
    const rows = reshape(x, [-1, x.dim(-1)]);
    const { experts, shares } = this.#route(rows);
    const y = reshape(this.#run(rows, reshape(experts, [-1])), [rows.dim(0), this.#active, -1]);
    return reshape(sum(multiply(y, expandDims(shares, -1)), [1]), x.shape);
  }

  /** rows `[N, D]` → the chosen experts and their shares, `[N, active]` each. */
  #route(rows: Tensor): { experts: Tensor; shares: Tensor } {
    const ratings = softmax(astype(this.#router.forward(rows), "float32"), -1);
    const experts = slice(argpartition(negative(ratings), this.#active - 1, -1), 1, 0, this.#active);
    const chosen = takeAlongAxis(ratings, experts, -1);
    return { experts, shares: astype(this.#normalise ? divide(chosen, sum(chosen, [-1], true)) : chosen, rows.dtype) };
  }

  /** Row i / active of `rows` through expert `indices[i]`, for all i: `[N · active, D]`. */
  #run(rows: Tensor, indices: Tensor): Tensor {
    const owners = repeat(arange(0, rows.dim(0)), this.#active, 0);
    if (indices.dim(0) < WORTH_SORTING) return this.#mlp(take(rows, owners, 0), { indices, sorted: false });
    const order = argsort(indices, 0);
    const y = this.#mlp(take(rows, take(owners, order, 0), 0), { indices: take(indices, order, 0), sorted: true });
    return take(y, argsort(order, 0), 0);
  }

  #mlp(x: Tensor, gather: { indices: Tensor; sorted: boolean }): Tensor {
    const matrices = this.#experts;
    const [gate, up] = "gateUp" in matrices ? (split(matrices.gateUp.forward(x, gather), [this.#hidden], -1) as [Tensor, Tensor]) : [matrices.gate.forward(x, gather), matrices.up.forward(x, gather)];
    return matrices.down.forward(siluMultiply(gate, up), gather);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#router, Object.values(this.#experts));
  }
}
