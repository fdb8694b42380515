import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { openComputer } from "../../agent/computer/index.js";
import { messageOf } from "../../core/errors.js";
import type { Check } from "./check.js";

const OPEN_TIMEOUT_MS = 20_000;
const INSTALL = "apt-get install xvfb openbox (or your system's packages of these names)";

/** Opens a display as the agent does, looks at it once, and lets go of it again. */
async function lookAt(display: "virtual" | "current", open: typeof openComputer): Promise<string> {
  const opened = await open({ display, signal: AbortSignal.timeout(OPEN_TIMEOUT_MS) });
  try {
    const { width, height, scale } = await opened.computer.display();
    const { widthPx, heightPx } = await opened.computer.capture();
    const name = opened.displayName === undefined ? "" : `${opened.displayName}, `;
    return `${name}${width}×${height}${scale === 1 ? "" : `, captured as ${widthPx}×${heightPx}`}`;
  } finally {
    await opened.close();
  }
}

/**
 * The displays the agent can work on: the one this process runs on, and on Linux one of its own. Either is enough.
 * @param open for tests
 */
export async function checkDisplays(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform, open = openComputer): Promise<Check[]> {
  const current = await checkCurrent(env, platform, open);
  if (platform !== "linux") return [current];
  return [current, await checkVirtual(current.status === "ok", open)];
}

async function checkCurrent(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, open: typeof openComputer): Promise<Check> {
  const check = { id: "display", title: "Current display" };
  const isUnix = platform !== "darwin" && platform !== "win32";
  if (isUnix && !env["DISPLAY"]) {
    const wayland = env["WAYLAND_DISPLAY"] ? `Wayland (${env["WAYLAND_DISPLAY"]}) without X11` : "none (DISPLAY is not set)";
    return { ...check, status: "warn", found: wayland, mend: "the agent takes a virtual display; to use your desktop, log in to an X11 session" };
  }
  try {
    return { ...check, status: "ok", found: await lookAt("current", open) };
  } catch (error) {
    const mend = platform === "darwin" ? "allow your terminal Screen Recording and Accessibility in System Settings → Privacy & Security" : "check DISPLAY and XAUTHORITY, or use --display virtual";
    return { ...check, status: isUnix ? "warn" : "fail", found: messageOf(error), mend };
  }
}

async function checkVirtual(hasCurrent: boolean, open: typeof openComputer): Promise<Check> {
  const check = { id: "virtual_display", title: "Virtual display" };
  try {
    return { ...check, status: "ok", found: `Xvfb and openbox start: ${await lookAt("virtual", open)}` };
  } catch (error) {
    return { ...check, status: hasCurrent ? "warn" : "fail", found: messageOf(error), mend: INSTALL };
  }
}

/** Programs that help on Linux and that one can do without. */
const PROGRAMS = [
  { command: "xrandr", purpose: "lists the monitors of a display", packageName: "x11-xserver-utils" },
  { command: "import", purpose: "captures displays that the built-in capture cannot", packageName: "imagemagick" },
  { command: "zenity", purpose: "shows the form that `npm start` fills in", packageName: "zenity" },
] as const;

export async function checkPrograms(platform: NodeJS.Platform = process.platform, path = process.env["PATH"] ?? ""): Promise<Check[]> {
  if (platform !== "linux") return [];
  return Promise.all(
    PROGRAMS.map(async ({ command, purpose, packageName }): Promise<Check> => {
      const file = await findOnPath(command, path);
      const check = { id: command, title: command };
      if (file !== undefined) return { ...check, status: "ok", found: file };
      return { ...check, status: "warn", found: `not installed; it ${purpose}`, mend: `apt-get install ${packageName}` };
    }),
  );
}

async function findOnPath(command: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const file = join(folder, command);
    const isThere = await access(file, constants.X_OK).then(() => true, () => false); // prettier-ignore
    if (isThere) return file;
  }
  return undefined;
}
