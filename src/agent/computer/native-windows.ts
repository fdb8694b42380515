import type { Point } from "../actions.js";
import type { PlacedWindow, WindowInfo, Windows } from "./computer.js";
import type { Nut } from "./nut.js";

/**
 * Whose windows are where on macOS and Windows, by their titles: nut-js does not tell applications, so that a capability file that
 * speaks of these denies everything there.
 */
export class NativeWindows implements Windows {
  readonly #provider: Nut["window"];

  constructor(provider: Nut["window"]) {
    this.#provider = provider;
  }

  async list(): Promise<PlacedWindow[]> {
    const handles = await this.#provider.getWindows();
    return Promise.all(handles.map(async (handle) => {
      const { left, top, width, height } = await this.#provider.getWindowRegion(handle);
      return { ...(await this.#describe(handle)), x: left, y: top, width, height };
    }));
  }

  async at({ x, y }: Point): Promise<WindowInfo | undefined> {
    // Both systems list their windows from the front to the back.
    for (const handle of await this.#provider.getWindows()) {
      const { left, top, width, height } = await this.#provider.getWindowRegion(handle);
      if (x >= left && y >= top && x < left + width && y < top + height) return this.#describe(handle);
    }
    return undefined;
  }

  async focused(): Promise<WindowInfo | undefined> {
    const handle = await this.#provider.getActiveWindow();
    return handle > 0 ? this.#describe(handle) : undefined;
  }

  async activate({ id }: WindowInfo): Promise<void> {
    await this.#provider.focusWindow(Number(id));
  }

  async #describe(handle: number): Promise<WindowInfo> {
    return { id: String(handle), applications: [], title: await this.#provider.getWindowTitle(handle) };
  }
}
