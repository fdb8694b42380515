import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import { createLogger } from "../../core/log.js";
import type { Computer, Display } from "./computer.js";
import { openNativeComputer } from "./native-computer.js";
import { isBlack } from "./pixels.js";
import { captureByProgram, listMonitors, type Monitor } from "./screenshot-desktop.js";
import type { VirtualDisplay } from "./virtual-display.js";
import { X11Computer } from "./x11-computer.js";
import { X11Connection } from "./x11-connection.js";

const log = createLogger("computer");

export interface DesktopOptions {
  /** The display to work on; the one this process runs on unless given. */
  virtual?: VirtualDisplay;
  /** Which monitor of the current X display, by its xrandr name or its number from 1; the primary one unless given. */
  monitor?: string;
  signal?: AbortSignal;
}

/**
 * The computer on a real display.
 * @throws DeskhandError `display_unavailable` when there is none or it cannot be seen, `invalid_argument` for an unknown monitor,
 * `cancelled` when the signal aborts.
 */
export async function openDesktop(options: DesktopOptions = {}): Promise<Computer & { displayName?: string }> {
  throwIfAborted(options.signal);
  if (options.virtual) return openVirtual(options.virtual);
  if (process.platform === "darwin" || process.platform === "win32") {
    if (options.monitor === undefined) return openNativeComputer();
    throw new DeskhandError("invalid_argument", `Expected the main display, the only one that can be used on this system, but received ${options.monitor}; leave it out.`, { param: "monitor" });
  }
  const displayName = process.env["DISPLAY"];
  if (!displayName)
    throw new DeskhandError("display_unavailable", `Expected a display but DISPLAY is not set${process.env["WAYLAND_DISPLAY"] ? " (a Wayland session without Xwayland)" : ""}; start one with --display virtual, or run this in an X session.`);
  return openCurrent(displayName, options);
}

async function openVirtual({ display, widthPx, heightPx }: VirtualDisplay): Promise<X11Computer> {
  const connection = await X11Connection.open(display);
  return new X11Computer(connection, { id: display, x: 0, y: 0, width: widthPx, height: heightPx, scale: 1 });
}

async function openCurrent(displayName: string, { monitor, signal }: DesktopOptions): Promise<X11Computer> {
  const connection = await X11Connection.open(displayName);
  let computer: X11Computer | undefined;
  try {
    // Without xrandr, or on a server without the extension, the whole screen is one display.
    const monitors = await listMonitors().catch((): Monitor[] => []);
    const wayland = (await connection.hasExtension("XWAYLAND")) || monitors.some(({ id }) => id.startsWith("XWAYLAND"));
    if (wayland)
      throw new DeskhandError("display_unavailable", "Expected an X session but this is Wayland, which hides other programs' windows from X clients; choose an Xorg session when logging in, or use --display virtual.");
    const display = chooseMonitor(monitors, monitor) ?? { id: displayName, x: 0, y: 0, width: connection.widthPx, height: connection.heightPx, scale: 1 };
    throwIfAborted(signal);
    computer = new X11Computer(connection, display);
    await seeThroughBlack(computer, display.id, signal);
    return computer;
  } catch (error) {
    await computer?.close();
    connection.close();
    throw error;
  }
}

/** A black first picture may mean that this way of looking does not work here: another program is asked, and used if it sees more. */
async function seeThroughBlack(computer: X11Computer, monitor: string, signal: AbortSignal | undefined): Promise<void> {
  if (!isBlack(await computer.capture(signal))) return;
  const second = await captureByProgram(monitor).catch(() => undefined);
  if (second !== undefined && !isBlack(second)) computer.captureBy(() => captureByProgram(monitor));
  else log.warn({ display: computer.displayName }, "every pixel of the display is black: it may be asleep, locked, or without any window");
}

/** @throws DeskhandError `invalid_argument` when there is no monitor of that name. */
export function chooseMonitor(monitors: Monitor[], name: string | undefined): Display | undefined {
  const chosen = name === undefined ? (monitors.find(({ primary }) => primary) ?? monitors[0]) : (monitors.find(({ id }) => id === name) ?? monitors.find((_, index) => String(index + 1) === name));
  if (name !== undefined && chosen === undefined)
    throw new DeskhandError("invalid_argument", `Expected one of the monitors ${monitors.map(({ id }) => id).join(", ") || "(none found; is xrandr installed?)"} but received ${name}.`, { param: "monitor" });
  if (chosen === undefined) return undefined;
  const { primary: _primary, ...display } = chosen;
  return display;
}
