import { DeskhandError } from "../../core/errors.js";
import type { MouseButton, Point, Region } from "../actions.js";
import type { Computer, Display, PlacedWindow, Screenshot, Windows } from "./computer.js";

/** What to see and work on instead of a whole display. At most one of them. */
export interface PartChoice {
  /** A rectangle of the desktop, in logical pixels. */
  region?: Region | undefined;
  /** The uppermost window whose title contains this, upper and lower case being the same. It may move and change its size. */
  window?: string | undefined;
}

/** The computer itself when there is no choice. @throws DeskhandError `invalid_argument` for two. */
export function partOf(computer: Computer, { region, window }: PartChoice): Computer {
  if (region && window !== undefined) throw new DeskhandError("invalid_argument", "Expected a region or a window but received both; leave one out.", { param: "window" });
  if (region) return new PartOfScreen(computer, async () => region);
  return window === undefined ? computer : new PartOfScreen(computer, () => findWindow(computer, window));
}

async function findWindow({ windows }: Computer, title: string): Promise<Region> {
  if (!windows) throw new DeskhandError("display_unavailable", "Expected a system that tells where windows are but this one does not; give a region instead.");
  const listed = await windows.list();
  const found = listed.find((window) => window.title.toLowerCase().includes(title.toLowerCase()));
  if (found) return found;
  throw new DeskhandError("display_unavailable", `Expected a window with ${JSON.stringify(title)} in its title but received ${titlesOf(listed)}. Open it first.`, { param: "window" });
}

function titlesOf(windows: readonly PlacedWindow[]): string {
  const titles = windows.map(({ title }) => JSON.stringify(title));
  return titles.length === 0 ? "no windows" : titles.slice(0, 10).join(", ");
}

/** A part of another computer's display that is a display of its own; keys and mouse are the other's. */
class PartOfScreen implements Computer {
  readonly buttons: readonly MouseButton[];
  readonly windows?: Windows;
  readonly whole: Computer;
  readonly watchHotkey?: NonNullable<Computer["watchHotkey"]>;
  readonly #find: () => Promise<Region>;
  /** The part as last told, so that a picture is of the same place even when a window moves in between. */
  #part: { display: Display; whole: Display } | undefined;

  constructor(whole: Computer, find: () => Promise<Region>) {
    this.whole = whole;
    this.buttons = whole.buttons;
    if (whole.windows) this.windows = whole.windows;
    if (whole.watchHotkey) this.watchHotkey = (keys, onPressed) => whole.watchHotkey!(keys, onPressed);
    this.#find = find;
  }

  async display(): Promise<Display> {
    const [whole, region] = [await this.whole.display(), await this.#find()];
    const [left, top] = [Math.max(whole.x, Math.floor(region.x)), Math.max(whole.y, Math.floor(region.y))];
    const [right, bottom] = [Math.min(whole.x + whole.width, Math.ceil(region.x + region.width)), Math.min(whole.y + whole.height, Math.ceil(region.y + region.height))];
    if (right <= left || bottom <= top) {
      throw new DeskhandError("display_unavailable", `Expected a part of the display, which is ${whole.width} × ${whole.height} at ${whole.x},${whole.y}, but received ${region.width} × ${region.height} at ${region.x},${region.y}, which is outside of it.`, { param: "region" });
    }
    const display = { id: whole.id, x: left, y: top, width: right - left, height: bottom - top, scale: whole.scale };
    this.#part = { display, whole };
    return display;
  }

  async capture(signal?: AbortSignal): Promise<Screenshot> {
    if (!this.#part) await this.display();
    const { display, whole } = this.#part!;
    const shot = await this.whole.capture(signal);
    const perPixel = { x: shot.widthPx / whole.width, y: shot.heightPx / whole.height };
    const [left, top] = [Math.round((display.x - whole.x) * perPixel.x), Math.round((display.y - whole.y) * perPixel.y)];
    const right = Math.min(shot.widthPx, Math.round((display.x - whole.x + display.width) * perPixel.x));
    const bottom = Math.min(shot.heightPx, Math.round((display.y - whole.y + display.height) * perPixel.y));
    return crop(shot, left, top, right - left, bottom - top);
  }

  move(to: Point): Promise<void> {
    return this.whole.move(to);
  }

  click(button: MouseButton, count: number): Promise<void> {
    return this.whole.click(button, count);
  }

  press(button: MouseButton): Promise<void> {
    return this.whole.press(button);
  }

  release(button: MouseButton): Promise<void> {
    return this.whole.release(button);
  }

  scroll(up: number, left: number): Promise<void> {
    return this.whole.scroll(up, left);
  }

  type(text: string, signal?: AbortSignal): Promise<void> {
    return this.whole.type(text, signal);
  }

  chord(keys: string[]): Promise<void> {
    return this.whole.chord(keys);
  }

  keyDown(keys: string[]): Promise<void> {
    return this.whole.keyDown(keys);
  }

  keyUp(keys: string[]): Promise<void> {
    return this.whole.keyUp(keys);
  }

  cursor(): Promise<Point> {
    return this.whole.cursor();
  }

  releaseAll(): Promise<void> {
    return this.whole.releaseAll();
  }

  close(): Promise<void> {
    return this.whole.close();
  }
}

function crop({ data, widthPx }: Screenshot, left: number, top: number, width: number, height: number): Screenshot {
  const part = new Uint8Array(width * height * 4);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * widthPx + left) * 4;
    part.set(data.subarray(start, start + width * 4), row * width * 4);
  }
  return { data: part, widthPx: width, heightPx: height };
}
