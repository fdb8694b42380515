import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { Computer, Screenshot } from "../computer/computer.js";
import { settle } from "../computer/settle.js";
import type { ScreenPart } from "../coordinates.js";
import type { TypedPart } from "./secrets.js";

/** Around what changed, in captured pixels: the rest of a glyph, the field's border. */
const MARGIN_PX = 4;

/**
 * Types a text with secrets in it.
 * @param onShown told where the screen changed while a secret was typed, before anything else is done
 */
export async function typeParts(computer: Computer, parts: readonly TypedPart[], onShown: (part: ScreenPart) => void, signal: AbortSignal): Promise<void> {
  for (const { value, secret } of parts) {
    if (!secret) {
      await computer.type(value, signal);
      continue;
    }
    const before = await computer.capture(signal);
    try {
      await computer.type(value, signal);
    } catch {
      throwIfAborted(signal);
      // The reason may quote what was typed.
      throw new DeskhandError("internal", "The computer could not type a secret. Does the same text, typed by hand, arrive in this field?");
    } finally {
      // However it ended, some of it may be on the screen.
      const { frame } = await settle(computer);
      const shown = changedPart(before, frame);
      if (shown) onShown(shown);
    }
  }
}

/** The box around everything that differs. */
export function changedPart(a: Screenshot, b: Screenshot): ScreenPart | undefined {
  const { widthPx, heightPx } = b;
  if (a.widthPx !== widthPx || a.heightPx !== heightPx) return { left: 0, top: 0, right: 1, bottom: 1 };
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  for (let y = 0, i = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++, i += 4) {
      if (a.data[i] === b.data[i] && a.data[i + 1] === b.data[i + 1] && a.data[i + 2] === b.data[i + 2]) continue;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    }
  }
  if (right < 0) return undefined;
  const clamp = (value: number) => Math.max(0, Math.min(1, value));
  return { left: clamp((left - MARGIN_PX) / widthPx), top: clamp((top - MARGIN_PX) / heightPx), right: clamp((right + 1 + MARGIN_PX) / widthPx), bottom: clamp((bottom + 1 + MARGIN_PX) / heightPx) };
}
