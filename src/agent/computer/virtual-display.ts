import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import { startProcess, type ManagedProcess } from "./managed-process.js";
import { OPENBOX_CONFIG } from "./openbox-config.js";
import { X11Connection } from "./x11-connection.js";

export interface VirtualDisplayOptions {
  /** Size of the screen; 640×480 unless given, the size that the embedded model knows. */
  widthPx?: number;
  heightPx?: number;
  signal?: AbortSignal;
}

export interface VirtualDisplay {
  /** For DISPLAY, e.g. `:99`. */
  display: string;
  widthPx: number;
  heightPx: number;
  /** This process' environment, changed so that programs appear on this display and look the same everywhere. */
  env: NodeJS.ProcessEnv;
  /** Ends the window manager and the X server. Idempotent. */
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 15_000;
const SIDE_PX = { min: 64, max: 16384 };
/** A plain mid blue: not black, which would look like a screen that cannot be captured. */
const BACKGROUND_RGB = 0x3a6ea5;
const INSTALL = "(on Debian and Ubuntu: sudo apt-get install -y xvfb openbox), or use a display that is there already with --display current";

/**
 * An X server without a screen (Xvfb) with a window manager (openbox), both ready. They end with `close`, and however this
 * process ends.
 * @throws DeskhandError `dependency_missing` when a program is not installed, `display_unavailable` when it does not start,
 * `cancelled` when the signal aborts.
 */
export async function startVirtualDisplay(options: VirtualDisplayOptions = {}): Promise<VirtualDisplay> {
  const { widthPx = 640, heightPx = 480, signal } = options;
  for (const side of [widthPx, heightPx])
    if (!Number.isInteger(side) || side < SIDE_PX.min || side > SIDE_PX.max)
      throw new DeskhandError("invalid_argument", `Expected a virtual display of ${SIDE_PX.min} to ${SIDE_PX.max} whole pixels a side but received ${widthPx}×${heightPx}.`);
  throwIfAborted(signal);

  using deadline = abortAfter(START_TIMEOUT_MS, signal);
  const running: ManagedProcess[] = [];
  const close = async (): Promise<void> => {
    // The window manager first: it would complain about a server that vanishes.
    for (const program of running.toReversed()) await program.end();
  };
  try {
    const server = await startProcess("Xvfb", serverArguments(widthPx, heightPx), { stdio: ["ignore", "ignore", "pipe", "pipe"], env: process.env, install: INSTALL });
    running.push(server);
    const display = `:${await Promise.race([readLine(server, server.child.stdio[3] as Readable), deadline.aborted])}`;
    const env = environment(display);
    const manager = startWindowManager(display, env, running);
    await Promise.race([manager, server.died, deadline.aborted]);
    return { display, widthPx, heightPx, env, close };
  } catch (error) {
    await close();
    throwIfAborted(signal);
    throw error;
  }
}

function serverArguments(widthPx: number, heightPx: number): string[] {
  return [
    // Takes a free number and writes it to this descriptor as soon as clients may connect.
    ...["-displayfd", "3"],
    ...["-screen", "0", `${widthPx}x${heightPx}x24`],
    ...["-dpi", "96"],
    ...["-nolisten", "tcp"],
    // Keeps pointer, keys and background when the last client leaves.
    "-noreset",
  ];
}

/** Starts openbox and waits until it manages windows. */
async function startWindowManager(display: string, env: NodeJS.ProcessEnv, running: ManagedProcess[]): Promise<void> {
  const connection = await X11Connection.open(display);
  const folder = await mkdtemp(join(tmpdir(), "deskhand-"));
  try {
    connection.setBackground(BACKGROUND_RGB);
    await connection.sync();
    const config = join(folder, "rc.xml");
    await writeFile(config, OPENBOX_CONFIG);
    // It runs the start-up command when its own start is complete. The property by which window managers announce themselves
    // (_NET_SUPPORTING_WM_CHECK) comes too early: a window shown right after it is never managed.
    const manager = await startProcess("openbox", ["--sm-disable", "--config-file", config, "--startup", "echo ready"], {
      stdio: ["ignore", "pipe", "pipe"],
      // openbox opens its input method anew, which in a UTF-8 locale means parsing all compose sequences, on every change of the
      // keyboard mapping: 50 ms each, and typing makes many. In the C locale it is 4 ms; titles are UTF-8 all the same.
      env: { ...env, LC_ALL: "C" },
      install: INSTALL,
    });
    running.push(manager);
    await readLine(manager, manager.child.stdout as Readable);
  } finally {
    connection.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The first line a program writes. When it ends without one, rejects with what it said. */
async function readLine({ died }: ManagedProcess, output: Readable): Promise<string> {
  let text = "";
  const line = new Promise<string>((resolve) => {
    // Keeps on reading, so that a program with more to say never waits for a reader.
    output.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
  });
  return Promise.race([line, died]);
}

/** What a program needs to draw like a stock GTK 3 on X11, whatever desktop this process was started from. */
function environment(display: string): NodeJS.ProcessEnv {
  const { WAYLAND_DISPLAY: _wayland, XAUTHORITY: _authority, ...rest } = process.env;
  return {
    ...rest,
    DISPLAY: display,
    XDG_SESSION_TYPE: "x11",
    GDK_BACKEND: "x11",
    GDK_SCALE: "1",
    GDK_DPI_SCALE: "1",
    GTK_THEME: "Adwaita",
    QT_QPA_PLATFORM: "xcb",
    // No accessibility bus here: looking for one costs GTK programs time and warnings.
    NO_AT_BRIDGE: "1",
  };
}

/** A promise that rejects when the time is over or the signal aborts, until it is disposed of. */
function abortAfter(timeoutMs: number, signal: AbortSignal | undefined): Disposable & { aborted: Promise<never> } {
  const over = new AbortController();
  const stop = signal ? AbortSignal.any([over.signal, signal]) : over.signal;
  const aborted = sleep(timeoutMs, undefined, { signal: stop }).then(
    (): never => {
      throw new DeskhandError("display_unavailable", `Expected Xvfb and openbox to be ready within ${timeoutMs / 1000} s but they were not.`);
    },
    (): Promise<never> => {
      throwIfAborted(signal);
      return new Promise(() => undefined);
    },
  );
  aborted.catch(() => undefined);
  return { aborted, [Symbol.dispose]: () => over.abort() };
}
