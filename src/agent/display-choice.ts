import { isDeskhandError } from "../core/errors.js";
import { openComputer, type OpenedComputer } from "./computer/index.js";
import type { Size } from "./coordinates.js";

/**
 * Opens the display asked for, or, when none was, the current one where it can be used and a virtual one elsewhere.
 * A virtual display gets the size on which the model is at its best.
 */
export async function openDisplay({ display, monitor }: { display?: "virtual" | "current" | undefined; monitor?: string | undefined }, best: Size, signal: AbortSignal): Promise<OpenedComputer> {
  if (monitor !== undefined) return openComputer({ display: "current", monitor, signal });
  if (display !== "virtual" && (display === "current" || mayHaveDisplay())) {
    try {
      return await openComputer({ display: "current", signal });
    } catch (error) {
      if (display === "current" || !isDeskhandError(error, "display_unavailable")) throw error;
    }
  }
  return openComputer({ display: "virtual", widthPx: best.width, heightPx: best.height, signal });
}

/** macOS and Windows always have one; elsewhere the environment names it. */
function mayHaveDisplay(): boolean {
  return process.platform === "darwin" || process.platform === "win32" || Boolean(process.env["DISPLAY"]);
}
