import type { Point, Region } from "../actions.js";
import { EventMask, X11Connection } from "./x11-connection.js";

// X11/X.h
const BUTTON_PRESS = 4;

const BACKGROUND = 0xf4f4f0;
const TARGET = 0xc01c28;
/** To each side of a target's pixel. */
const TARGET_PX = 5;

/** A window that covers a part of the desktop, shows targets, and hears where clicks arrive. */
export interface ClickWindow extends Disposable {
  /** Where the next click arrived that nobody has been told of, on the desktop; undefined when none comes in time. */
  next(timeoutMs: number): Promise<Point | undefined>;
}

/**
 * Opens one over a connection of its own, so that what it hears is the X server's word and not ours.
 * @throws DeskhandError `display_unavailable`.
 */
export async function openClickWindow(displayName: string, covered: Region, targets: readonly Point[]): Promise<ClickWindow> {
  const connection = await X11Connection.open(displayName);
  const heard: Point[] = [];
  let wake = (): void => undefined;
  try {
    const window = connection.showWindow(covered, BACKGROUND);
    connection.listen(window, EventMask.buttonPress, ({ type, rootx, rooty }) => {
      if (type !== BUTTON_PRESS || rootx === undefined || rooty === undefined) return;
      heard.push({ x: rootx, y: rooty });
      wake();
    });
    // Clicks on a target go on to the window below it.
    for (const { x, y } of targets) connection.showWindow({ x: x - covered.x - TARGET_PX, y: y - covered.y - TARGET_PX, width: 2 * TARGET_PX + 1, height: 2 * TARGET_PX + 1 }, TARGET, window);
    await connection.sync();
  } catch (error) {
    connection.close();
    throw error;
  }
  return {
    async next(timeoutMs) {
      if (heard.length === 0) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
          timer = setTimeout(resolve, timeoutMs);
        });
        clearTimeout(timer);
      }
      return heard.shift();
    },
    [Symbol.dispose]: () => connection.close(),
  };
}
