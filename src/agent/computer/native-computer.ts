import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { MouseButton, Point } from "../actions.js";
import type { Computer, Display, Screenshot } from "./computer.js";
import { guardExit } from "./exit-guard.js";
import { recordOwnMove } from "./failsafe.js";
import { resolveChord } from "./keys.js";
import { NativeKeyboard } from "./native-keyboard.js";
import { NativeWindows } from "./native-windows.js";
import { loadNut, type Nut } from "./nut.js";
import { isBlack, rgbaFromBgra } from "./pixels.js";
import { captureByProgram } from "./screenshot-desktop.js";
import { wheelUnits } from "./wheel.js";
import { oblige, type Obligation, type StandingObligation } from "./watchdog.js";

/**
 * The main display of macOS or Windows through nut-js.
 * @throws DeskhandError `display_unavailable` when the screen cannot be seen.
 */
export async function openNativeComputer(): Promise<Computer> {
  const nut = loadNut();
  const [width, height] = [await nut.screen.screenWidth(), await nut.screen.screenHeight()];
  const first = await grab(nut);
  const computer = new NativeComputer(nut, { id: "main", x: 0, y: 0, width, height, scale: first.widthPx / width });
  if (!isBlack(first)) return computer;
  if (isBlack(await captureByProgram())) {
    await computer.close();
    const hint = process.platform === "darwin" ? " Allow Screen Recording and Accessibility for your terminal in System Settings → Privacy & Security." : "";
    throw new DeskhandError("display_unavailable", `Expected to see the screen but every pixel is black; it may be locked or asleep.${hint}`);
  }
  computer.captureBy(() => captureByProgram());
  return computer;
}

async function grab(nut: Nut): Promise<Screenshot> {
  const { data, width, height, byteWidth, bitsPerPixel } = await nut.screen.grabScreen();
  if (bitsPerPixel !== 32) throw new DeskhandError("display_unavailable", `Expected a screen of 32 bits a pixel but received ${bitsPerPixel}; set the display to true colour.`);
  return { data: rgbaFromBgra(data, width, height, byteWidth), widthPx: width, heightPx: height };
}

/** nut-js knows no others. */
const BUTTONS = ["left", "middle", "right"] as const;

class NativeComputer implements Computer {
  readonly buttons = BUTTONS;
  readonly windows: NativeWindows;
  readonly #nut: Nut;
  readonly #display: Display;
  readonly #keyboard: NativeKeyboard;
  readonly #obligation: StandingObligation;
  readonly #unguard: () => void;
  readonly #heldButtons = new Set<MouseButton>();
  #heldKeys: number[] = [];
  #capture: () => Promise<Screenshot>;

  constructor(nut: Nut, display: Display) {
    this.#nut = nut;
    this.windows = new NativeWindows(nut.window);
    this.#display = display;
    this.#capture = () => grab(nut);
    this.#obligation = oblige(this.#held());
    this.#keyboard = new NativeKeyboard(nut, ({ keys }) => {
      this.#heldKeys = keys;
      this.#obligation.update(this.#held());
    });
    this.#unguard = guardExit(() => {
      // What a process posts as its last act may be lost with it: the watchdog releases once more.
      this.#obligation.seal();
      this.#releaseNow();
    });
  }

  /** Takes pictures in another way from now on. */
  captureBy(capture: () => Promise<Screenshot>): void {
    this.#capture = capture;
  }

  async display(): Promise<Display> {
    return this.#display;
  }

  async capture(signal?: AbortSignal): Promise<Screenshot> {
    throwIfAborted(signal);
    const screenshot = await this.#capture();
    throwIfAborted(signal);
    return screenshot;
  }

  async move(to: Point): Promise<void> {
    const target = new this.#nut.Point(Math.round(to.x), Math.round(to.y));
    recordOwnMove(this, target);
    await this.#nut.mouse.setMousePosition(target);
  }

  async click(button: MouseButton, count: number): Promise<void> {
    const { mouse } = this.#nut;
    // macOS counts clicks in the event itself, so a double click is one call.
    for (let left = count; left > 0; ) {
      if (left >= 2) await mouse.doubleClick(this.#number(button));
      else await mouse.click(this.#number(button));
      left -= left >= 2 ? 2 : 1;
    }
  }

  async press(button: MouseButton): Promise<void> {
    const number = this.#number(button);
    this.#heldButtons.add(button);
    this.#obligation.update(this.#held());
    await this.#nut.mouse.pressButton(number);
  }

  async release(button: MouseButton): Promise<void> {
    await this.#nut.mouse.releaseButton(this.#number(button));
    this.#heldButtons.delete(button);
    this.#obligation.update(this.#held());
  }

  async scroll(up: number, left: number): Promise<void> {
    const { mouse } = this.#nut;
    const system = process.platform === "darwin" ? "macos" : "windows";
    const [vertical, horizontal] = [wheelUnits(up, system), wheelUnits(left, system)];
    if (vertical > 0) await mouse.scrollUp(vertical);
    if (vertical < 0) await mouse.scrollDown(-vertical);
    if (horizontal > 0) await mouse.scrollLeft(horizontal);
    if (horizontal < 0) await mouse.scrollRight(-horizontal);
  }

  type(text: string, signal?: AbortSignal): Promise<void> {
    return this.#keyboard.type(text, signal);
  }

  async chord(keys: string[]): Promise<void> {
    await this.#keyboard.chord(resolveChord(keys));
  }

  async keyDown(keys: string[]): Promise<void> {
    await this.#keyboard.keyDown(resolveChord(keys));
  }

  async keyUp(keys: string[]): Promise<void> {
    await this.#keyboard.keyUp(resolveChord(keys));
  }

  async cursor(): Promise<Point> {
    const { x, y } = await this.#nut.mouse.currentMousePosition();
    return { x, y };
  }

  async releaseAll(): Promise<void> {
    this.#releaseNow();
  }

  async close(): Promise<void> {
    this.#releaseNow();
    this.#unguard();
    this.#obligation.discharge();
  }

  #releaseNow(): void {
    // The providers act before they return their promises.
    for (const button of [...this.#heldButtons].toReversed()) void this.#nut.mouse.releaseButton(this.#number(button)).catch(() => undefined);
    this.#heldButtons.clear();
    this.#keyboard.releaseNow();
  }

  #number(button: MouseButton): number {
    const { Button } = this.#nut;
    const numbers: Partial<Record<MouseButton, number>> = { left: Button.LEFT, middle: Button.MIDDLE, right: Button.RIGHT };
    const number = numbers[button];
    if (number === undefined) throw new DeskhandError("invalid_argument", `Expected one of the mouse buttons ${BUTTONS.join(", ")} but received ${button}, which nut-js cannot press.`, { param: "button" });
    return number;
  }

  #held(): Obligation {
    return { kind: "native", keys: this.#heldKeys, buttons: [...this.#heldButtons].map((button) => this.#number(button)) };
  }
}
