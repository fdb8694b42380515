import type { ImageContent } from "@modelcontextprotocol/sdk/types.js";
import sharp from "sharp";
import { z } from "zod";
import { Region } from "../../agent/actions.js";
import type { Computer, Display } from "../../agent/computer/computer.js";
import type { Screenshot } from "../../agent/computer/index.js";
import type { CoordinateChain } from "../../agent/coordinates.js";
import { present } from "../../agent/observe.js";
import type { SeenFrame } from "../../agent/safety/stale-screen.js";
import type { PictureFormat } from "../../agent/scene.js";

/** No picture has more pixels, a longer side, or more bytes: clients put it into a model's context as it is. */
const MAX_PIXELS = 1280 * 800;
const MAX_SIDE = 1568;
const MAX_BYTES = 1_000_000;
/** Tried in turn for a picture that is too large without loss. */
const QUALITIES = [85, 70, 50, 30, 15] as const;

const Size = z.object({ width: z.number(), height: z.number() });

/** What a picture shows, and how its pixels lie on the desktop. */
export const View = z.object({
  picture: Size.describe("The whole picture: positions count in its pixels, from its top left corner."),
  desktop: Region.describe("The part of the desktop that the whole picture shows, in the system's logical pixels."),
  scale: z.object({ x: z.number(), y: z.number() }).describe("Logical desktop pixels a pixel of the picture: 1 when the picture is as large as the desktop."),
  shown: Region.describe("The part of the whole picture that this one shows: all of it unless it was zoomed into. Positions count in the whole picture all the same."),
  cursor: z.object({ x: z.number(), y: z.number() }).describe("Where the pointer is, in pixels of the whole picture."),
  display: z.string().describe("The display's name, e.g. :99 for DISPLAY."),
});
export type View = z.infer<typeof View>;

export const ActionResult = z.object({ did: z.string().describe("What was done, in words."), hadEffect: z.boolean().optional().describe("Whether anything changed on the screen."), view: View });
export type ActionResult = z.infer<typeof ActionResult>;

export interface Seen {
  view: View;
  image: ImageContent;
  /** From the whole picture's pixels to the desktop. */
  chain: CoordinateChain;
  shot: Screenshot;
  /** What it may later be told by that the screen has changed. */
  screen: SeenFrame;
}

/** The screen as it is now, or the part of it that `region` (of the desktop) names. */
export async function look(computer: Computer, displayName: string | undefined, signal: AbortSignal, region?: Region, frame?: Screenshot): Promise<Seen> {
  const display = await computer.display();
  const pointer = await computer.cursor();
  const focused = await computer.windows?.focused();
  const shot = frame ?? (await computer.capture(signal));
  const { png, chain, shown, cursor, screen } = await present({ shot, display, pointer, region }, formatFor(display));
  const { x, y, width, height } = display;
  const across = (share: number) => Math.round(share * screen.width);
  const down = (share: number) => Math.round(share * screen.height);
  return {
    chain,
    shot,
    screen: { shot, display, cursor: pointer, focused },
    image: await imageOf(png),
    view: {
      picture: screen,
      desktop: { x, y, width, height },
      scale: { x: width / screen.width, y: height / screen.height },
      shown: { x: across(shown.left), y: down(shown.top), width: across(shown.right - shown.left), height: down(shown.bottom - shown.top) },
      cursor,
      display: displayName ?? display.id,
    },
  };
}

/** As large as the desktop counts itself, where that is not too large: then the picture's pixels are logical desktop pixels. */
function formatFor({ width, height }: Display): PictureFormat {
  return { space: { kind: "pixels" }, zoomedSpace: "screen", pictureSize: { multiple: 1, minPixels: 1, maxPixels: Math.min(MAX_PIXELS, Math.ceil(width) * Math.ceil(height)), maxSide: MAX_SIDE } };
}

async function imageOf(png: Buffer): Promise<ImageContent> {
  if (png.length <= MAX_BYTES) return { type: "image", data: png.toString("base64"), mimeType: "image/png" };
  let jpeg = png;
  for (const quality of QUALITIES) {
    jpeg = await sharp(png).jpeg({ quality }).toBuffer();
    if (jpeg.length <= MAX_BYTES) break;
  }
  return { type: "image", data: jpeg.toString("base64"), mimeType: "image/jpeg" };
}
