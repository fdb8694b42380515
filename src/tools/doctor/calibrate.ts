import type { Point, Region } from "../../agent/actions.js";
import type { Computer } from "../../agent/computer/index.js";
import { openClickWindow } from "../../agent/computer/x11-click-window.js";
import { messageOf } from "../../core/errors.js";
import type { Check } from "./check.js";

const TOLERANCE_PX = 1;
const CLICK_TIMEOUT_MS = 1000;
/** A scale that is off by less moves no target of a usual screen by a pixel. */
const SCALE_TOLERANCE = 0.002;

const POINTER = { id: "pointer", title: "Pointer" };
const CLICKS = { id: "clicks", title: "Clicks" };

/** Where a click was aimed, where the pointer then was, and where the click arrived. */
export interface Probe {
  target: Point;
  pointer: Point;
  /** Absent when none arrived; `undefined` throughout where nobody can hear clicks. */
  arrived?: Point | undefined;
}

/** The corners, the middles of the edges, the middle, and the middles between: what a wrong scale or offset shows at. */
export function targetsOf({ x, y, width, height }: Region): Point[] {
  const across = [0, 0.25, 0.5, 0.75, 1].map((share) => x + Math.round(share * (width - 1)));
  const down = [0, 0.25, 0.5, 0.75, 1].map((share) => y + Math.round(share * (height - 1)));
  const edges = [0, 2, 4].flatMap((row) => [0, 2, 4].map((column) => ({ x: across[column]!, y: down[row]! })));
  return [...edges, ...[1, 3].flatMap((row) => [1, 3].map((column) => ({ x: across[column]!, y: down[row]! })))];
}

/**
 * Moves the mouse to each target and clicks it, in a window of our own on X11. Elsewhere nothing is clicked: there is no window to hear
 * it, and what lies below would. The pointer is put back.
 * @param displayName the X display; undefined on other systems
 */
export async function calibrate(computer: Computer, displayName: string | undefined, signal: AbortSignal): Promise<Check[]> {
  const before = await computer.cursor();
  try {
    return judge(await probe(computer, displayName, signal), displayName);
  } catch (error) {
    return [{ ...CLICKS, status: "unknown", found: `could not be tried: ${messageOf(error)}` }];
  } finally {
    await computer.releaseAll();
    await computer.move(before).catch(() => undefined);
  }
}

async function probe(computer: Computer, displayName: string | undefined, signal: AbortSignal): Promise<Probe[]> {
  const display = await computer.display();
  const targets = targetsOf(display);
  using window = displayName === undefined ? undefined : await openClickWindow(displayName, display, targets);
  const probes: Probe[] = [];
  for (const target of targets) {
    signal.throwIfAborted();
    await computer.move(target);
    const pointer = await computer.cursor();
    if (!window) probes.push({ target, pointer });
    else {
      await computer.click("left", 1);
      probes.push({ target, pointer, arrived: await window.next(CLICK_TIMEOUT_MS) });
    }
  }
  return probes;
}

/** What probes tell. */
export function judge(probes: readonly Probe[], displayName: string | undefined): Check[] {
  const pointer = verdict(POINTER, probes.map(({ target, pointer: at }) => [target, at]), "the pointer arrives", displayName);
  if (displayName === undefined) {
    const mac = process.platform === "darwin" && pointer.status !== "ok" ? { mend: "open 'x-apple.systempreferences:com.apple.preference.security?Privacy_Accessibility' # allow your terminal there" } : {};
    return [{ ...pointer, ...mac }, { ...CLICKS, status: "unknown", found: "not tried: only on X11 there is a window that hears them" }];
  }
  const heard = probes.filter(({ arrived }) => arrived !== undefined);
  if (heard.length < probes.length) {
    const lost = probes.find(({ arrived }) => arrived === undefined)!.target;
    return [pointer, { ...CLICKS, status: "fail", found: `${probes.length - heard.length} of ${probes.length} did not arrive, the first at (${lost.x}, ${lost.y})`, mend: "close what takes the mouse for itself: a menu that is open, a screen locker, a remote desktop or an overlay" }];
  }
  return [pointer, verdict(CLICKS, heard.map(({ target, arrived }) => [target, arrived!]), "clicks arrive", displayName)];
}

function verdict(check: Pick<Check, "id" | "title">, pairs: readonly (readonly [sent: Point, got: Point])[], what: string, displayName: string | undefined): Check {
  const off = ([sent, got]: readonly [Point, Point]) => Math.max(Math.abs(sent.x - got.x), Math.abs(sent.y - got.y));
  const worst = pairs.reduce((a, b) => (off(b) > off(a) ? b : a));
  const hits = pairs.filter((pair) => off(pair) <= TOLERANCE_PX).length;
  if (hits === pairs.length) return { ...check, status: "ok", found: `${what} at ${hits} of ${pairs.length} targets within ${TOLERANCE_PX} px, corners and edges included (at most ${off(worst)} px beside)` };
  const [sent, got] = worst;
  const found = `${what} at ${hits} of ${pairs.length} targets only; sent to (${sent.x}, ${sent.y}), ${what.startsWith("the") ? "it was" : "one was"} at (${got.x}, ${got.y})`;
  return { ...check, status: "fail", found: `${found}${explain(pairs)}`, mend: displayName === undefined ? "set the display to a whole scale, and start again" : "xrandr --output NAME --scale 1x1 # for the monitor's NAME see `xrandr`; remove what maps the pointer (`xinput list-props`)" };
}

/** A straight line through what was sent and what came: a factor, a shift, or neither. */
function explain(pairs: readonly (readonly [Point, Point])[]): string {
  const [x, y] = (["x", "y"] as const).map((axis) => fitLine(pairs.map(([sent, got]) => [sent[axis], got[axis]])));
  if (x!.residual > TOLERANCE_PX || y!.residual > TOLERANCE_PX) return "";
  const near = (factor: number) => Math.abs(factor - 1) < SCALE_TOLERANCE;
  if (!near(x!.factor) || !near(y!.factor)) return `: a scale of ${round(x!.factor)} × ${round(y!.factor)} that was not told`;
  return `: ${round(x!.shift)}, ${round(y!.shift)} px beside everywhere`;
}

/** The least squares, and how far the farthest point is from them. */
export function fitLine(pairs: readonly (readonly [number, number])[]): { factor: number; shift: number; residual: number } {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [from, to] = [mean(pairs.map(([a]) => a)), mean(pairs.map(([, b]) => b))];
  const spread = mean(pairs.map(([a]) => (a - from) ** 2));
  const factor = spread === 0 ? 1 : mean(pairs.map(([a, b]) => (a - from) * (b - to))) / spread;
  const shift = to - factor * from;
  return { factor, shift, residual: Math.max(...pairs.map(([a, b]) => Math.abs(b - factor * a - shift))) };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
