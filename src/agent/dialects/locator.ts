import { DeskhandError } from "../../core/errors.js";
import type { Point, Region } from "../actions.js";
import { modelToScreen, type CoordinateChain, type PointTrace } from "../coordinates.js";

/** Takes a model's coordinates to the screen, and keeps the journey of each. */
export class Locator {
  readonly points: PointTrace[] = [];
  readonly #chain: CoordinateChain;

  constructor(chain: CoordinateChain) {
    this.#chain = chain;
  }

  /** @throws DeskhandError `model_output` when it is outside of the model's space. */
  point(x: number, y: number): Point {
    const trace = modelToScreen(this.#chain, { x, y });
    this.points.push(trace);
    return trace.os;
  }

  /** From its two corners. @throws DeskhandError `model_output` when one of them is outside, or nothing is between them. */
  region(left: number, top: number, right: number, bottom: number): Region {
    const [from, to] = [this.point(left, top), this.point(right, bottom)];
    if (to.x > from.x && to.y > from.y) return { ...from, width: to.x - from.x, height: to.y - from.y };
    throw new DeskhandError("model_output", `Expected a region as left, top, right, bottom, at least one pixel wide and high, but received [${left}, ${top}, ${right}, ${bottom}].`);
  }
}
