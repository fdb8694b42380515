import { concatenate, multiply, retain, rope, scope, split, tensor, type Tensor } from "../mlx/index.js";
import { BatchPositions, rotateFirst, type Rotary } from "./rotary.js";
import { lengthLimit, ropeAttentionFactor, ropeFrequencies, type RopeOptions } from "./rope-frequencies.js";

export { oneRope, RopeScaling, ropeFields, ropeOf, type RopeFields, type RopeSettings } from "./rope-scaling.js";
export type { RopeOptions };

/**
 * Rotary positions of one attention: how many features turn, how fast, and how that is scaled for long sequences. One is shared
 * by all layers that turn alike.
 *
 * `dynamic` and `longrope` depend on the length of the sequence: rows of a prompt turn as its whole length says (`Rotary.length`),
 * so that chunks agree; later rows as the length reached with them says. Keys cached before do not turn anew by themselves: for
 * `longrope`, `border` says when they have to be computed again.
 */
export class Rope implements Disposable {
  readonly #options: RopeOptions;
  readonly #limit: number | undefined;
  /** What the rotated features are multiplied with, by `yarn` and `longrope`; 1 otherwise. */
  readonly attentionFactor: number;
  /** `[dims / 2]` each, made at first use: for sequences within the limit, and beyond it. */
  #short: Tensor | undefined;
  #long: Tensor | undefined;

  constructor(options: RopeOptions) {
    this.#options = options;
    this.#limit = lengthLimit(options);
    this.attentionFactor = ropeAttentionFactor(options);
    // Misfitting factors are refused when the model is built.
    for (const length of [1, (this.#limit ?? 0) + 1]) ropeFrequencies(options, length);
  }

  /**
   * `[dims / 2]`: radians a position, in a sequence of `length` rows. For families that work out angles of their own; those have
   * to carry `attentionFactor` in their cosines and sines.
   */
  frequencies(length: number): Float32Array<ArrayBuffer> {
    return ropeFrequencies(this.#options, length);
  }

  /** Of `longrope`: how many rows a sequence has at most whose rows turn as those of short sequences. */
  get border(): number | undefined {
    return this.#options.scaling?.rope_type === "longrope" ? this.#limit : undefined;
  }

  /** x `[B, H, L, D]` with its first `dims` features rotated. */
  apply(x: Tensor, rotary: Rotary): Tensor {
    const { dims } = this.#options;
    if (rotary instanceof BatchPositions) {
      const { cos, sin } = rotary.angles(this, dims, (unit, offset) => this.#turn(unit, { offset, length: offset + 1 }));
      return rotateFirst(this.#scaled(x), dims, cos, sin);
    }
    if (!("offset" in rotary)) return rotateFirst(x, dims, rotary.cos, rotary.sin);
    const { offset, length = offset + x.dim(-2) } = rotary;
    return this.#turn(this.#scaled(x), { offset, length });
  }

  #turn(x: Tensor, { offset, length }: { offset: number; length: number }): Tensor {
    const { dims, base, scaling } = this.#options;
    const periods = scaling === undefined || scaling.rope_type === "default" ? undefined : this.#periods(length);
    return rope(x, { dims, base, offset, periods });
  }

  /** A rotation keeps lengths, so the factor may come first. */
  #scaled(x: Tensor): Tensor {
    if (this.attentionFactor === 1) return x;
    const { dims } = this.#options;
    if (dims === x.dim(-1)) return multiply(x, this.attentionFactor);
    const [rotated, rest] = split(x, [dims], -1) as [Tensor, Tensor];
    return concatenate([multiply(rotated, this.attentionFactor), rest], -1);
  }

  #periods(length: number): Tensor {
    const make = (): Tensor => tensor(this.frequencies(length).map((frequency) => 1 / frequency));
    if (this.#limit === undefined || length <= this.#limit) return (this.#short ??= retain(scope(make)));
    // Beyond the limit `dynamic` turns otherwise for every length, `longrope` does not.
    if (this.#options.scaling?.rope_type === "dynamic") return make();
    return (this.#long ??= retain(scope(make)));
  }

  [Symbol.dispose](): void {
    this.#short?.dispose();
    this.#long?.dispose();
    this.#short = this.#long = undefined;
  }
}
