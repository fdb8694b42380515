import type { Computer } from "./computer.js";
import { openDesktop } from "./desktop.js";
import { startVirtualDisplay, type VirtualDisplay } from "./virtual-display.js";

export type { Computer, Display, Screenshot, WindowInfo, Windows } from "./computer.js";
export { MemoryComputer, type ComputerEvent, type MemoryComputerOptions } from "./memory.js";
export { watchFailsafeCorner, type Corner, type FailsafeOptions } from "./failsafe.js";
export { settle, type Settled, type SettleOptions } from "./settle.js";
export { startVirtualDisplay, type VirtualDisplay, type VirtualDisplayOptions } from "./virtual-display.js";

export interface OpenComputerOptions {
  /** `virtual` starts an X server of its own; `current` is the display this process runs on. */
  display: "virtual" | "current";
  /** Size of the virtual display. */
  widthPx?: number;
  heightPx?: number;
  /** On a current X display with several monitors: the one to use, by its xrandr name or its number from 1. The primary one unless given. */
  monitor?: string;
  signal?: AbortSignal;
}

export interface OpenedComputer {
  computer: Computer;
  /** Environment for programs that should appear on this computer's display. */
  env: NodeJS.ProcessEnv;
  /** The X display, e.g. `:99`; absent on macOS and Windows. */
  displayName?: string;
  /** Releases everything held, then ends the virtual display if there is one. Idempotent. */
  close(): Promise<void>;
}

/**
 * Eyes and hands on a display.
 * @throws DeskhandError `display_unavailable` when there is no such display, `dependency_missing` when a program it needs is
 * not installed, `cancelled` when the signal aborts first.
 */
export async function openComputer(options: OpenComputerOptions): Promise<OpenedComputer> {
  if (options.display === "current") {
    const computer = await openDesktop({ monitor: options.monitor, signal: options.signal });
    return { computer, env: { ...process.env }, displayName: computer.displayName, close: () => computer.close() };
  }
  const virtual = await startVirtualDisplay(options);
  try {
    const computer = await openDesktop({ virtual, signal: options.signal });
    return { computer, env: virtual.env, displayName: virtual.display, close: () => closeBoth(computer, virtual) };
  } catch (error) {
    await virtual.close();
    throw error;
  }
}

async function closeBoth(computer: Computer, virtual: VirtualDisplay): Promise<void> {
  try {
    await computer.close();
  } finally {
    await virtual.close();
  }
}
