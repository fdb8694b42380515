import sharp from "sharp";
import { DeskhandError } from "../core/errors.js";
import type { Point, Region } from "./actions.js";
import type { Computer, Display, Screenshot } from "./computer/computer.js";
import { screenToModel, type CoordinateChain, type ModelSpace, type ScreenPart, type Size } from "./coordinates.js";
import type { Dialect, PictureSize } from "./dialects/dialect.js";

/** Beyond this the processors of vision models refuse a picture. */
const MAX_ASPECT_RATIO = 200;

/** The screen as it is at one moment. */
export interface Capture {
  shot: Screenshot;
  display: Display;
  /** Where the pointer is on the desktop. */
  pointer: Point;
  /** The part of the desktop to show; all of the display unless given. */
  region?: Region;
}

/** The screen as a model gets to see it. */
export interface Presented {
  png: Buffer;
  dataUri: string;
  /** What part of the screen the picture shows. */
  shown: ScreenPart;
  chain: CoordinateChain;
  /** Size of a picture of the whole screen, as it would be sent. */
  screen: Size;
  /** Where the pointer is on the picture, in the model's coordinates. */
  cursor: Point;
}

export interface Observation extends Capture, Presented {
  captureMs: number;
  encodeMs: number;
}

/** What a model's picture depends on. */
export type PictureFormat = Pick<Dialect, "pictureSize" | "space" | "zoomedSpace">;

/** Captures the display and makes of it the picture this model wants. */
export async function observe(computer: Computer, format: PictureFormat, signal: AbortSignal, region?: Region): Promise<Observation> {
  const display = await computer.display();
  const pointer = await computer.cursor();
  const startedAt = performance.now();
  const capture: Capture = { shot: await computer.capture(signal), display, pointer, region };
  const capturedAt = performance.now();
  const presented = await present(capture, format);
  return { ...capture, ...presented, captureMs: capturedAt - startedAt, encodeMs: performance.now() - capturedAt };
}

/**
 * Makes of a capture the picture that a model wants; of a part of it in its full resolution when there is a region, with a coordinate
 * chain of its own where the model takes the picture for its space.
 */
export async function present({ shot, display, pointer, region }: Capture, format: PictureFormat): Promise<Presented> {
  const captured = { width: shot.widthPx, height: shot.heightPx };
  const screen = sentSize(captured, format.pictureSize);
  const whole: CoordinateChain = { space: format.space, sent: screen, captured, display: placeOf(display) };
  const part = region && partOf(whole, region);
  const shown = part ? { ...whole, sent: enlargedSize(part.captured, screen, format.pictureSize), captured: part.captured, display: part.display } : whole;
  const chain = format.zoomedSpace === "picture" ? shown : whole;
  const png = await encode(shot, shown, part?.crop);
  const cursor = rounded(screenToModel(chain, pointer).model, format.space);
  return { png, dataUri: `data:image/png;base64,${png.toString("base64")}`, shown: shareOf(shown.display, display), chain, screen, cursor };
}

function shareOf(part: Region, whole: Region): ScreenPart {
  const [left, top] = [(part.x - whole.x) / whole.width, (part.y - whole.y) / whole.height];
  return { left, top, right: left + part.width / whole.width, bottom: top + part.height / whole.height };
}

function placeOf({ x, y, width, height, scale }: Display): CoordinateChain["display"] {
  return { x, y, width, height, scale };
}

/** What is shown of the capture for a region of the desktop, which keeps to whole captured pixels. */
function partOf({ captured, display }: CoordinateChain, region: Region): { crop: Region; captured: Size; display: CoordinateChain["display"] } {
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

async function encode(shot: Screenshot, { sent, captured }: CoordinateChain, crop: Region | undefined): Promise<Buffer> {
  // X servers leave the alpha byte undefined.
  let picture = sharp(shot.data, { raw: { width: shot.widthPx, height: shot.heightPx, channels: 4 } }).removeAlpha();
  if (crop) picture = picture.extract({ left: crop.x, top: crop.y, width: crop.width, height: crop.height });
  if (sent.width !== captured.width || sent.height !== captured.height) picture = picture.resize({ ...sent, fit: "fill" });
  // Level 1 is as lossless as any, and the bytes seldom leave the machine.
  return picture.png({ compressionLevel: 1 }).toBuffer();
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
  const width = toMultiple(captured.width, Math.round);
  const height = toMultiple(captured.height, Math.round);
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
