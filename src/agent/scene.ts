import { DeskhandError } from "../core/errors.js";
import { roundHalfToEven } from "../core/rounding.js";
import type { Point, Region } from "./actions.js";
import { screenToModel, type CoordinateChain, type ModelSpace, type ScreenPart, type Size } from "./coordinates.js";
import type { Dialect, PictureSize } from "./dialects/dialect.js";

/** Beyond this the processors of vision models refuse a picture. */
const MAX_ASPECT_RATIO = 200;

/** Everything that decides what a picture of the screen looks like, but the pixels. Plain data, written into every trace line. */
export interface Scene {
  /** The picture the display gave, in physical pixels. */
  captured: Size;
  /** The display on the desktop, in logical pixels. */
  display: CoordinateChain["display"];
  /** Where the pointer was on the desktop. */
  pointer: Point;
  /** The part of the desktop to show; all of the display unless given. */
  region?: Region | undefined;
}

/** What a model's picture depends on. */
export type PictureFormat = Pick<Dialect, "pictureSize" | "space" | "zoomedSpace">;

/** How a scene is put before a model. */
export interface Layout {
  /** Of the picture itself. */
  picture: CoordinateChain;
  /** What the model's coordinates go by. */
  chain: CoordinateChain;
  /** Size of a picture of the whole screen, as it would be sent. */
  screen: Size;
  /** What part of the screen the picture shows. */
  shown: ScreenPart;
  /** The same in captured pixels, where it is not all. */
  crop?: Region;
  /** Where the pointer is on the picture, in the model's coordinates. */
  cursor: Point;
}

/**
 * Lays a scene out for a model: all of it, or the part of it there is a region for, in that part's full resolution and with a
 * coordinate chain of its own where the model takes the picture for its space.
 */
export function layOut(scene: Scene, format: PictureFormat): Layout {
  const screen = sentSize(scene.captured, format.pictureSize);
  const whole: CoordinateChain = { space: format.space, sent: screen, captured: scene.captured, display: scene.display };
  const part = scene.region && partOf(scene, scene.region);
  const picture = part ? { ...whole, sent: enlargedSize(part.captured, screen, format.pictureSize), captured: part.captured, display: part.display } : whole;
  const chain = format.zoomedSpace === "picture" ? picture : whole;
  const cursor = rounded(screenToModel(chain, scene.pointer).model, format.space);
  return { picture, chain, screen, shown: shareOf(picture.display, scene.display), crop: part?.crop, cursor };
}

/** The part of the desktop that a scene's picture shows. */
export function shownRegion(scene: Scene): Region {
  return scene.region ? partOf(scene, scene.region).display : scene.display;
}

function shareOf(part: Region, whole: Region): ScreenPart {
  const [left, top] = [(part.x - whole.x) / whole.width, (part.y - whole.y) / whole.height];
  return { left, top, right: left + part.width / whole.width, bottom: top + part.height / whole.height };
}

/** What is shown of the capture for a region of the desktop, which keeps to whole captured pixels. */
function partOf({ captured, display }: Scene, region: Region): { crop: Region; captured: Size; display: CoordinateChain["display"] } {
  const perPixel = { x: captured.width / display.width, y: captured.height / display.height };
  const along = (from: number, length: number, origin: number, unit: number, size: number) => {
    const start = Math.min(size - 1, Math.max(0, Math.floor((from - origin) * unit)));
    return { start, length: Math.max(1, Math.min(size, Math.ceil((from + length - origin) * unit)) - start) };
  };
  const across = along(region.x, region.width, display.x, perPixel.x, captured.width);
  const down = along(region.y, region.height, display.y, perPixel.y, captured.height);
  return {
    crop: { x: across.start, y: down.start, width: across.length, height: down.length },
    captured: { width: across.length, height: down.length },
    display: { x: display.x + across.start / perPixel.x, y: display.y + down.start / perPixel.y, width: across.length / perPixel.x, height: down.length / perPixel.y, scale: display.scale },
  };
}

/** A part is shown as large as the whole screen would be, in its own shape. */
function enlargedSize(part: Size, screen: Size, wanted: PictureSize): Size {
  const factor = Math.min(screen.width / part.width, screen.height / part.height);
  return sentSize({ width: part.width * factor, height: part.height * factor }, wanted);
}

function rounded({ x, y }: Point, space: ModelSpace): Point {
  const step = space.kind === "relative" && space.max <= 1 ? 1000 : 1;
  return { x: Math.round(x * step) / step, y: Math.round(y * step) / step };
}

/**
 * The size in which a captured picture is sent.
 * @throws DeskhandError `invalid_argument` for a picture that no model takes.
 */
export function sentSize(captured: Size, wanted: PictureSize): Size {
  const { multiple, minPixels, maxPixels, maxSide = Infinity } = wanted;
  if (Math.max(captured.width / captured.height, captured.height / captured.width) > MAX_ASPECT_RATIO) {
    throw new DeskhandError("invalid_argument", `Expected a picture at most ${MAX_ASPECT_RATIO} times as long as wide but received ${captured.width} × ${captured.height}; show the model a larger part of the screen.`, { param: "region" });
  }
  const toMultiple = (side: number, round: (value: number) => number) => Math.max(multiple, round(side / multiple) * multiple);
  // As the models' own processors round, so that they see the sizes that they were trained on: 720 lines are 22.5 times 32.
  const width = toMultiple(captured.width, roundHalfToEven);
  const height = toMultiple(captured.height, roundHalfToEven);
  const scaled = (pixels: number, round: (value: number) => number): Size => {
    const factor = Math.sqrt(pixels / (captured.width * captured.height));
    return { width: toMultiple(captured.width * factor, round), height: toMultiple(captured.height * factor, round) };
  };
  // The limit of a side is one of pixels too, at this shape.
  const sideLimit = captured.width * captured.height * (maxSide / Math.max(captured.width, captured.height)) ** 2;
  if (width * height > maxPixels || Math.max(width, height) > maxSide) return scaled(Math.min(maxPixels, sideLimit), Math.floor);
  if (width * height < minPixels) return scaled(minPixels, Math.ceil);
  return { width, height };
}
