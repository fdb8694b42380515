import { DeskhandError } from "../core/errors.js";
import type { Point } from "./actions.js";
import type { Display } from "./computer/computer.js";

/**
 * How a point travels from a model's answer to the mouse:
 *
 *   model space → sent picture → captured picture → logical display → operating system
 *
 * Every stage is linear and kept as floating point; the only rounding is the last one, because the operating system takes whole
 * units. That makes the chain invertible within one pixel whatever the sizes, scales and offsets are.
 */

export interface Size {
  width: number;
  height: number;
}

/** A part of the screen, from 0 to 1 across each side. */
export interface ScreenPart {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** `relative`: 0 to `max` across each side of the sent picture. `pixels`: absolute pixels of the sent picture. */
export type ModelSpace = { kind: "relative"; max: number } | { kind: "pixels" };

/** Everything a point's journey depends on. Plain data, written into every trace line. */
export interface CoordinateChain {
  space: ModelSpace;
  /** The picture the model saw, in pixels. */
  sent: Size;
  /** The picture the display gave, in physical pixels. */
  captured: Size;
  /** The display on the desktop, or the part of it that is shown, in logical pixels. */
  display: Pick<Display, "x" | "y" | "width" | "height" | "scale">;
}

/** One point at every stage. `logical` counts from the display's top left corner, `os` from the desktop's origin. */
export interface PointTrace {
  model: Point;
  sent: Point;
  captured: Point;
  logical: Point;
  os: Point;
}

/**
 * Follows a model's point to the screen.
 * @throws DeskhandError `model_output` when the point is outside the model's space; nothing is clamped into it.
 */
export function modelToScreen(chain: CoordinateChain, model: Point): PointTrace {
  checkInside(chain, model);
  const unit = modelUnit(chain);
  const sent = { x: model.x * unit.x, y: model.y * unit.y };
  const captured = scale(sent, chain.sent, chain.captured);
  const logical = scale(captured, chain.captured, chain.display);
  return { model, sent, captured, logical, os: toOs(chain, logical) };
}

/** The way back: from an operating-system position inside the display to the model's space (not rounded). */
export function screenToModel(chain: CoordinateChain, os: Point): PointTrace {
  const logical = { x: os.x - chain.display.x, y: os.y - chain.display.y };
  const captured = scale(logical, chain.display, chain.captured);
  const sent = scale(captured, chain.captured, chain.sent);
  const unit = modelUnit(chain);
  return { model: { x: sent.x / unit.x, y: sent.y / unit.y }, sent, captured, logical, os };
}

/** The words a model is told about its own space, e.g. `0 to 1000`. */
export function describeSpace(chain: CoordinateChain): string {
  return chain.space.kind === "relative"
    ? `x and y from 0 to ${chain.space.max}`
    : `x from 0 to ${chain.sent.width - 1} and y from 0 to ${chain.sent.height - 1}`;
}

/** Sent pixels per model unit. */
function modelUnit(chain: CoordinateChain): Point {
  if (chain.space.kind === "pixels") return { x: 1, y: 1 };
  return { x: chain.sent.width / chain.space.max, y: chain.sent.height / chain.space.max };
}

function scale(point: Point, from: Size, to: Size): Point {
  return { x: (point.x * to.width) / from.width, y: (point.y * to.height) / from.height };
}

/** Whole desktop units. A point on the far edge belongs to the last pixel: there is none beyond it. */
function toOs({ display }: CoordinateChain, logical: Point): Point {
  return {
    x: Math.min(Math.round(display.x + logical.x), Math.ceil(display.x + display.width) - 1),
    y: Math.min(Math.round(display.y + logical.y), Math.ceil(display.y + display.height) - 1),
  };
}

function checkInside(chain: CoordinateChain, { x, y }: Point): void {
  const inside = (value: number, size: number) =>
    chain.space.kind === "relative" ? value >= 0 && value <= chain.space.max : value >= 0 && value < size;
  if (inside(x, chain.sent.width) && inside(y, chain.sent.height)) return;
  throw new DeskhandError("model_output", `Expected a coordinate inside the screenshot (${describeSpace(chain)}) but received [${x}, ${y}].`);
}
