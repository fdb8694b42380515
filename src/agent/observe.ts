import sharp from "sharp";
import type { Point, Region } from "./actions.js";
import type { Computer, Display, Screenshot, WindowInfo } from "./computer/computer.js";
import type { CoordinateChain, ScreenPart, Size } from "./coordinates.js";
import { layOut, type Layout, type PictureFormat, type Scene } from "./scene.js";

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

/** One moment's screen, as it can be put before any model. */
export interface Look {
  scene: Scene;
  presentTo(format: PictureFormat): Promise<Presented>;
}

export interface Observation extends Look, Presented {
  shot: Screenshot;
  /** The window that keys go to; undefined where nobody knows. */
  focused: WindowInfo | undefined;
  captureMs: number;
  encodeMs: number;
}

/** Captures the display and makes of it the picture this model wants. */
export async function observe(computer: Computer, format: PictureFormat, signal: AbortSignal, region?: Region): Promise<Observation> {
  const display = await computer.display();
  const pointer = await computer.cursor();
  const focused = await computer.windows?.focused();
  const startedAt = performance.now();
  const capture: Capture = { shot: await computer.capture(signal), display, pointer, region };
  const capturedAt = performance.now();
  const presented = await present(capture, format);
  const look: Look = { scene: sceneOf(capture), presentTo: (other) => present(capture, other) };
  return { ...look, ...presented, shot: capture.shot, focused, captureMs: capturedAt - startedAt, encodeMs: performance.now() - capturedAt };
}

/** Makes of a capture the picture that a model wants. */
export async function present(capture: Capture, format: PictureFormat): Promise<Presented> {
  const layout = layOut(sceneOf(capture), format);
  return asPresented(await encode(capture.shot, layout), layout);
}

/** A picture that has been made for a layout. */
export function asPresented(png: Buffer, { chain, screen, shown, cursor }: Layout): Presented {
  return { png, dataUri: toDataUri(png), shown, chain, screen, cursor };
}

export function toDataUri(png: Buffer): string {
  return `data:image/png;base64,${png.toString("base64")}`;
}

function sceneOf({ shot, display: { x, y, width, height, scale }, pointer, region }: Capture): Scene {
  return { captured: { width: shot.widthPx, height: shot.heightPx }, display: { x, y, width, height, scale }, pointer, region };
}

async function encode(shot: Screenshot, { picture: { sent, captured }, crop }: Layout): Promise<Buffer> {
  // X servers leave the alpha byte undefined.
  let picture = sharp(shot.data, { raw: { width: shot.widthPx, height: shot.heightPx, channels: 4 } }).removeAlpha();
  if (crop) picture = picture.extract({ left: crop.x, top: crop.y, width: crop.width, height: crop.height });
  if (sent.width !== captured.width || sent.height !== captured.height) picture = picture.resize({ ...sent, fit: "fill" });
  // Level 1 is as lossless as any, and the bytes seldom leave the machine.
  return picture.png({ compressionLevel: 1 }).toBuffer();
}
