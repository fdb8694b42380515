import { createRequire } from "node:module";
import sharp from "sharp";
import { DeskhandError, messageOf } from "../../core/errors.js";
import type { Display, Screenshot } from "./computer.js";

/** What the package tells of a monitor on Linux, from xrandr. */
interface ListedDisplay {
  id: string;
  width: number;
  height: number;
  offsetX: number;
  offsetY: number;
  primary: boolean;
}

interface ScreenshotDesktop {
  (options: { format: "png"; screen?: string }): Promise<Buffer>;
  listDisplays(): Promise<ListedDisplay[]>;
}

const screenshotDesktop = createRequire(import.meta.url)("screenshot-desktop") as ScreenshotDesktop;

export type Monitor = Display & { primary: boolean };

/** The monitors of the X screen that DISPLAY names, through xrandr. Rejects when xrandr is not there. */
export async function listMonitors(): Promise<Monitor[]> {
  const listed = await screenshotDesktop.listDisplays();
  return listed.map(({ id, width, height, offsetX, offsetY, primary }) => ({ id, x: offsetX, y: offsetY, width, height, scale: 1, primary }));
}

/**
 * A picture of one monitor by another program, 160 to 270 ms: for systems that do not let this process read the screen.
 * @throws DeskhandError `display_unavailable` when that does not work either.
 */
export async function captureByProgram(monitor?: string): Promise<Screenshot> {
  try {
    const png = await screenshotDesktop({ format: "png", screen: monitor });
    const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    return { data, widthPx: info.width, heightPx: info.height };
  } catch (cause) {
    const hint = process.platform === "linux" ? " It needs xrandr and ImageMagick's import (on Debian and Ubuntu: sudo apt-get install -y x11-xserver-utils imagemagick)." : "";
    throw new DeskhandError("display_unavailable", `Expected a picture of the screen from screenshot-desktop but received: ${messageOf(cause)}.${hint}`, { cause });
  }
}
