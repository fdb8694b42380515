import type { Point } from "../actions.js";
import type { PlacedWindow, WindowInfo, Windows } from "./computer.js";
import type { X11Connection } from "./x11-connection.js";

/** X11/X.h: the keys go to whatever window is under the pointer. */
const POINTER_ROOT = 1;
/** Windows lie inside frames inside the root; sub-windows of applications lie deeper, but their names stand above them. */
const MAX_DEPTH = 16;

/** Where a window says what it is. */
interface Named {
  window: number;
  applications: string[];
}

/** Whose windows are where on an X display: by WM_CLASS, which applications set themselves, and _NET_WM_NAME. */
export class X11Windows implements Windows {
  readonly #connection: X11Connection;
  readonly #atoms = new Map<string, Promise<number>>();

  constructor(connection: X11Connection) {
    this.#connection = connection;
  }

  async list(): Promise<PlacedWindow[]> {
    const { root } = this.#connection;
    // From the lowest to the uppermost (EWMH, _NET_CLIENT_LIST_STACKING).
    const windows = (await this.#connection.property(root, await this.#atom("_NET_CLIENT_LIST_STACKING"))).toReversed();
    const placed = windows.map(async (window): Promise<PlacedWindow[]> => {
      const [described, place] = [await this.#describe((await this.#named(window)) ?? { window, applications: [] }), await this.#connection.placeOf(window)];
      return [{ ...described, ...place }];
    });
    // A window may close while it is asked about.
    return (await Promise.all(placed.map((window) => window.catch(() => [])))).flat();
  }

  async at({ x, y }: Point): Promise<WindowInfo | undefined> {
    const { root } = this.#connection;
    // From the frame inwards: the outermost window with a name is the application's own.
    const outermost = await this.#connection.childAt(root, x, y);
    for (let window = outermost, depth = 0; window !== 0 && depth < MAX_DEPTH; depth++) {
      const named = await this.#named(window);
      if (named) return this.#describe(named);
      window = await this.#connection.childAt(window, x, y);
    }
    return outermost === 0 ? undefined : this.#framedBy(outermost);
  }

  /** What a window manager's frame is around: its title bar and buttons are that window's. */
  async #framedBy(frame: number): Promise<WindowInfo | undefined> {
    for (const child of await this.#connection.childrenOf(frame)) {
      const named = await this.#named(child);
      if (named) return this.#describe(named);
    }
    return undefined;
  }

  async focused(): Promise<WindowInfo | undefined> {
    // Not _NET_ACTIVE_WINDOW: that is what the window manager believes, this is where keys go.
    const focus = await this.#connection.focusedWindow();
    if (focus === POINTER_ROOT) return this.at(await this.#connection.pointer());
    const { root } = this.#connection;
    // From the inside outwards: toolkits give the focus to a window of their own inside the application's.
    for (let window = focus, depth = 0; window !== 0 && window !== root && depth < MAX_DEPTH; depth++) {
      const named = await this.#named(window);
      if (named) return this.#describe(named);
      window = await this.#connection.parentOf(window);
    }
    return undefined;
  }

  async activate({ id }: WindowInfo): Promise<void> {
    const type = await this.#atom("_NET_ACTIVE_WINDOW");
    // Source 2, a pager: window managers obey these (EWMH, _NET_ACTIVE_WINDOW).
    this.#connection.askWindowManager(Number(id), type, [2, 0, 0, 0, 0]);
    await this.#connection.sync();
  }

  async #named(window: number): Promise<Named | undefined> {
    const applications = (await this.#text(window, "WM_CLASS")).split("\0").filter((name) => name !== "");
    if (applications.length > 0) return { window, applications: [...new Set(applications)] };
    // Some menus and tooltips have no class of their own, but say whose they are.
    const [owner] = await this.#connection.property(window, await this.#atom("WM_TRANSIENT_FOR"));
    return owner === undefined || owner === window || owner === this.#connection.root ? undefined : this.#namedOwner(owner);
  }

  async #namedOwner(window: number): Promise<Named | undefined> {
    const applications = (await this.#text(window, "WM_CLASS").catch(() => "")).split("\0").filter((name) => name !== "");
    return applications.length > 0 ? { window, applications: [...new Set(applications)] } : undefined;
  }

  async #describe({ window, applications }: Named): Promise<WindowInfo> {
    const title = (await this.#text(window, "_NET_WM_NAME")) || (await this.#text(window, "WM_NAME"));
    return { id: String(window), applications, title };
  }

  async #text(window: number, property: string): Promise<string> {
    return (await this.#connection.propertyBytes(window, await this.#atom(property))).toString("utf8");
  }

  #atom(name: string): Promise<number> {
    let atom = this.#atoms.get(name);
    if (!atom) this.#atoms.set(name, (atom = this.#connection.atom(name)));
    return atom;
  }
}
