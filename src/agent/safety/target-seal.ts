import { setTimeout as delay } from "node:timers/promises";
import sharp from "sharp";
import type { Point } from "../actions.js";
import type { Computer, Screenshot, WindowInfo } from "../computer/computer.js";
import { changedShare } from "../computer/pixels.js";
import type { ApprovalRequest } from "./approver.js";
import { boxAround, sameAround, type Frame } from "./target-box.js";

/** For keys the target is somewhere in a window; this much of the screen may differ, a clock for example. */
const MAX_CHANGED_SHARE = 0.005;
/** How long a window may take to come back when the person used another one to answer. */
const RETURN_MS = 1500;
const RETURN_POLL_MS = 50;

/** What a target looked like when a person was asked about it. */
export class TargetSeal {
  readonly #computer: Computer;
  readonly #points: readonly Point[];
  readonly #window: WindowInfo | undefined;
  readonly #frame: Frame;

  private constructor(computer: Computer, points: readonly Point[], window: WindowInfo | undefined, frame: Frame) {
    this.#computer = computer;
    this.#points = points;
    this.#window = window;
    this.#frame = frame;
  }

  /** @param points where the pointer would act; none for keys */
  static async take(computer: Computer, points: readonly Point[], window: WindowInfo | undefined, signal: AbortSignal): Promise<TargetSeal> {
    return new TargetSeal(computer, points, window, { shot: await computer.capture(signal), display: await computer.display() });
  }

  /** The sealed part of the screen, or all of it for keys. */
  async view(): Promise<Pick<ApprovalRequest, "picture" | "shown" | "mark">> {
    const { data, widthPx, heightPx } = this.#frame.shot;
    const whole = sharp(data, { raw: { width: widthPx, height: heightPx, channels: 4 } }).removeAlpha();
    const [target] = this.#points;
    const box = target ? boxAround(target, this.#frame) : { left: 0, top: 0, width: widthPx, height: heightPx };
    const picture = await whole.extract(box).png({ compressionLevel: 1 }).toBuffer();
    const shown = { left: box.left / widthPx, top: box.top / heightPx, right: (box.left + box.width) / widthPx, bottom: (box.top + box.height) / heightPx };
    if (!target) return { picture, shown };
    const { x, y, width, height } = this.#frame.display;
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
    if (this.#points.length > 0) return sameAround(this.#points, this.#frame, now);
    const { shot } = this.#frame;
    return now.widthPx === shot.widthPx && now.heightPx === shot.heightPx && changedShare(shot.data, now.data, { channels: 4 }) <= MAX_CHANGED_SHARE;
  }
}
