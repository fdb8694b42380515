import { createRequire } from "node:module";
import type * as NutJs from "@nut-tree-fork/nut-js";
import { DeskhandError, messageOf } from "../../core/errors.js";

/** What is used of nut-js: its providers act at once, without the delays of its own classes. */
export interface Nut {
  Key: typeof NutJs.Key;
  Button: typeof NutJs.Button;
  Point: typeof NutJs.Point;
  clipboard: typeof NutJs.clipboard;
  mouse: ReturnType<typeof NutJs.providerRegistry.getMouse>;
  keyboard: ReturnType<typeof NutJs.providerRegistry.getKeyboard>;
  screen: ReturnType<typeof NutJs.providerRegistry.getScreen>;
  window: ReturnType<typeof NutJs.providerRegistry.getWindow>;
}

/**
 * nut-js, loaded at the first use: its native module asks for permissions on macOS when it loads.
 * @throws DeskhandError `dependency_missing` when the native module cannot be loaded.
 */
export function loadNut(): Nut {
  try {
    const nutJs = createRequire(import.meta.url)("@nut-tree-fork/nut-js") as typeof NutJs;
    const { Key, Button, Point, clipboard, providerRegistry } = nutJs;
    const [mouse, keyboard, screen] = [providerRegistry.getMouse(), providerRegistry.getKeyboard(), providerRegistry.getScreen()];
    // The native module would wait after each event as well.
    mouse.setMouseDelay(0);
    keyboard.setKeyboardDelay(0);
    return { Key, Button, Point, clipboard, mouse, keyboard, screen, window: providerRegistry.getWindow() };
  } catch (cause) {
    throw new DeskhandError("dependency_missing", `Expected to load the native module of @nut-tree-fork/nut-js but received: ${messageOf(cause)}. Reinstall with npm ci on this machine.`, { cause });
  }
}
