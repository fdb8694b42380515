import { setTimeout as delay } from "node:timers/promises";
import sharp from "sharp";
import type { Point } from "../actions.js";
import type { Computer, Display, Screenshot, WindowInfo } from "../computer/computer.js";
import { changedShare } from "../computer/pixels.js";
import { sameButForCaret, THIN_CARET } from "../computer/settle.js";
import type { ApprovalRequest } from "./approver.js";

/** How much of the screen around a target counts as its surroundings, in logical pixels to each side. */
const AROUND_PX = 48;
/** For keys the target is somewhere in a window; this much of the screen may differ, a clock for example. */
const MAX_CHANGED_SHARE = 0.005;
/** How long a window may take to come back when the person used another one to answer. */
const RETURN_MS = 1500;
const RETURN_POLL_MS = 50;

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** What a target looked like when a person was asked about it. */
export class TargetSeal {
  readonly #computer: Computer;
  readonly #points: readonly Point[];
  readonly #window: WindowInfo | undefined;
  readonly #shot: Screenshot;
  readonly #display: Display;

  private constructor(computer: Computer, points: readonly Point[], window: WindowInfo | undefined, shot: Screenshot, display: Display) {
    this.#computer = computer;
    this.#points = points;
    this.#window = window;
    this.#shot = shot;
    this.#display = display;
  }

  /** @param points where the pointer would act; none for keys */
  static async take(computer: Computer, points: readonly Point[], window: WindowInfo | undefined, signal: AbortSignal): Promise<TargetSeal> {
    return new TargetSeal(computer, points, window, await computer.capture(signal), await computer.display());
  }

  /** The sealed part of the screen, or all of it for keys. */
  async view(): Promise<Pick<ApprovalRequest, "picture" | "shown" | "mark">> {
    const { data, widthPx, heightPx } = this.#shot;
    const whole = sharp(data, { raw: { width: widthPx, height: heightPx, channels: 4 } }).removeAlpha();
    const [target] = this.#points;
    const box = target ? this.#boxAround(target) : { left: 0, top: 0, width: widthPx, height: heightPx };
    const picture = await whole.extract(box).png({ compressionLevel: 1 }).toBuffer();
    const shown = { left: box.left / widthPx, top: box.top / heightPx, right: (box.left + box.width) / widthPx, bottom: (box.top + box.height) / heightPx };
    if (!target) return { picture, shown };
    const { x, y, width, height } = this.#display;
    const mark = { x: ((target.x + 0.5 - x) / width - shown.left) / (shown.right - shown.left), y: ((target.y + 0.5 - y) / height - shown.top) / (shown.bottom - shown.top) };
    return { picture, shown, mark };
  }

  /**
   * Why the approval no longer holds; undefined when it does. The person may have answered in another window: the one that was sealed
   * is asked to come back first.
   */
  async whyBroken(signal: AbortSignal): Promise<string | undefined> {
    if (!(await this.#windowIsBack(signal))) return "another window is where it was";
    const deadline = performance.now() + RETURN_MS;
    // A window that comes back is drawn again.
    for (;;) {
      if (this.#looksTheSame(await this.#computer.capture(signal))) return undefined;
      if (this.#window === undefined || performance.now() > deadline) return this.#points.length > 0 ? "the screen around its target changed" : "the screen changed";
      await delay(RETURN_POLL_MS, undefined, { signal });
    }
  }

  async #windowIsBack(signal: AbortSignal): Promise<boolean> {
    const { windows } = this.#computer;
    const wanted = this.#window;
    if (!windows || !wanted) return true;
    const [target] = this.#points;
    const current = () => (target ? windows.at(target) : windows.focused());
    const isBack = (window: WindowInfo | undefined) => window?.id === wanted.id && window.title === wanted.title;
    if (isBack(await current())) return true;
    await windows.activate(wanted);
    for (const deadline = performance.now() + RETURN_MS; performance.now() < deadline; ) {
      await delay(RETURN_POLL_MS, undefined, { signal });
      if (isBack(await current())) return true;
    }
    return false;
  }

  #looksTheSame(now: Screenshot): boolean {
    if (now.widthPx !== this.#shot.widthPx || now.heightPx !== this.#shot.heightPx) return false;
    if (this.#points.length === 0) return changedShare(this.#shot.data, now.data, { channels: 4 }) <= MAX_CHANGED_SHARE;
    return this.#points.every((point) => {
      const box = this.#boxAround(point);
      return sameButForCaret(crop(this.#shot, box), crop(now, box), this.#display.scale, THIN_CARET);
    });
  }

  /** In captured pixels, kept inside the picture. */
  #boxAround({ x, y }: Point): Box {
    const { widthPx, heightPx } = this.#shot;
    const [toX, toY] = [widthPx / this.#display.width, heightPx / this.#display.height];
    const clamp = (value: number, max: number) => Math.max(0, Math.min(max, Math.round(value)));
    const left = clamp((x - this.#display.x - AROUND_PX) * toX, widthPx - 1);
    const top = clamp((y - this.#display.y - AROUND_PX) * toY, heightPx - 1);
    const right = clamp((x - this.#display.x + AROUND_PX) * toX, widthPx);
    const bottom = clamp((y - this.#display.y + AROUND_PX) * toY, heightPx);
    return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
  }
}

function crop({ data, widthPx }: Screenshot, { left, top, width, height }: Box): Screenshot {
  const part = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * widthPx + left) * 4;
    part.set(data.subarray(start, start + width * 4), y * width * 4);
  }
  return { data: part, widthPx: width, heightPx: height };
}
