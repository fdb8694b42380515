import type { Point } from "../actions.js";
import type { Display, Screenshot } from "../computer/computer.js";
import { sameButForCaret, THIN_CARET } from "../computer/settle.js";
import type { Box } from "./changed-boxes.js";

/** How much of the screen around a target counts as its surroundings, in logical pixels to each side. */
export const AROUND_PX = 48;

/** A captured screen, and where it is on the desktop. */
export interface Frame {
  shot: Screenshot;
  display: Omit<Display, "id">;
}

/**
 * Whether everything around these places looks as it did, a caret apart. Both captures are of the same part of the desktop.
 * @param aroundPx how far around, in logical pixels to each side
 */
export function sameAround(points: readonly Point[], before: Frame, now: Screenshot, aroundPx = AROUND_PX): boolean {
  if (now.widthPx !== before.shot.widthPx || now.heightPx !== before.shot.heightPx) return false;
  return points.every((point) => {
    const box = boxAround(point, before, aroundPx);
    return sameButForCaret(crop(before.shot, box), crop(now, box), before.display.scale, THIN_CARET);
  });
}

/** In captured pixels, kept inside the picture. */
export function boxAround({ x, y }: Point, { shot: { widthPx, heightPx }, display }: Frame, aroundPx = AROUND_PX): Box {
  const [toX, toY] = [widthPx / display.width, heightPx / display.height];
  const clamp = (value: number, max: number) => Math.max(0, Math.min(max, Math.round(value)));
  const left = clamp((x - display.x - aroundPx) * toX, widthPx - 1);
  const top = clamp((y - display.y - aroundPx) * toY, heightPx - 1);
  const right = clamp((x - display.x + aroundPx) * toX, widthPx);
  const bottom = clamp((y - display.y + aroundPx) * toY, heightPx);
  return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}

function crop({ data, widthPx }: Screenshot, { left, top, width, height }: Box): Screenshot {
  const part = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * widthPx + left) * 4;
    part.set(data.subarray(start, start + width * 4), y * width * 4);
  }
  return { data: part, widthPx: width, heightPx: height };
}
