import { isDeskhandError } from "../core/errors.js";
import { openComputer, type OpenedComputer } from "./computer/index.js";
import type { PictureSize } from "./dialects/dialect.js";

/** A virtual display for a model that takes any size: room for a real program, and no scaling on the way to the model. */
const ROOMY = { widthPx: 1280, heightPx: 800 };

/**
 * Opens the display asked for, or, when none was, the current one where it can be used and a virtual one elsewhere.
 * A virtual display gets the size that the model was trained on, where it has one.
 */
export async function openDisplay(display: "virtual" | "current" | undefined, pictureSize: PictureSize, signal: AbortSignal): Promise<OpenedComputer> {
  if (display !== "virtual" && (display === "current" || mayHaveDisplay())) {
    try {
      return await openComputer({ display: "current", signal });
    } catch (error) {
      if (display === "current" || !isDeskhandError(error, "display_unavailable")) throw error;
    }
  }
  const size = pictureSize.kind === "exact" ? { widthPx: pictureSize.width, heightPx: pictureSize.height } : ROOMY;
  return openComputer({ display: "virtual", ...size, signal });
}

/** macOS and Windows always have one; elsewhere the environment names it. */
function mayHaveDisplay(): boolean {
  return process.platform === "darwin" || process.platform === "win32" || Boolean(process.env["DISPLAY"]);
}
