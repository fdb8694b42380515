import { openComputer } from "../../agent/computer/index.js";
import { listMonitors } from "../../agent/computer/screenshot-desktop.js";
import { findProgram } from "../../core/programs.js";
import { messageOf } from "../../core/errors.js";
import type { Check } from "./check.js";
import { installCommand, type Packages } from "./install.js";

const OPEN_TIMEOUT_MS = 20_000;

/** Under which window system this process runs: under Wayland the agent cannot see other programs' windows. */
export function checkSession(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): Check[] {
  if (platform === "darwin" || platform === "win32") return [];
  const check = { id: "session", title: "Session" };
  const wayland = env["WAYLAND_DISPLAY"] !== undefined && env["WAYLAND_DISPLAY"] !== "" ? env["WAYLAND_DISPLAY"] : env["XDG_SESSION_TYPE"] === "wayland" ? "of an unknown name" : undefined;
  if (wayland !== undefined) {
    const mend = 'log out and choose an Xorg session ("GNOME on Xorg", "Plasma (X11)") at the login screen, or use --display virtual';
    return [{ ...check, status: "warn", found: `Wayland (${wayland})${env["DISPLAY"] ? `, with Xwayland at ${env["DISPLAY"]}` : ""}: the agent cannot see or use this desktop`, mend }];
  }
  if (env["DISPLAY"]) return [{ ...check, status: "ok", found: `X11 (${env["DISPLAY"]})` }];
  return [{ ...check, status: "ok", found: "none: no desktop here, the agent takes a virtual display" }];
}

/** The monitors of the current X display: what `--display` can name, where each is, and in which pixels the agent counts. */
export async function checkMonitors(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform, list = listMonitors): Promise<Check[]> {
  if (platform === "darwin" || platform === "win32" || !env["DISPLAY"]) return [];
  const check = { id: "monitors", title: "Monitors" };
  try {
    const found = (await list()).map(({ id, x, y, width, height, scale, primary }) => `${id} ${width}×${height} at ${x},${y}, scale ${scale}${primary ? " (primary)" : ""}`);
    if (found.length > 0) return [{ ...check, status: "ok", found: found.join("; ") }];
    return [{ ...check, status: "unknown", found: "xrandr lists none: the whole screen is taken as one" }];
  } catch (error) {
    return [{ ...check, status: "unknown", found: `cannot be listed: ${messageOf(error)}`, mend: installCommand({ apt: "x11-xserver-utils", dnf: "xrandr", pacman: "xorg-xrandr" }) }];
  }
}

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
    return { ...check, status: hasCurrent ? "warn" : "fail", found: messageOf(error), mend: installCommand({ apt: "xvfb openbox", dnf: "xorg-x11-server-Xvfb openbox", pacman: "xorg-server-xvfb openbox" }) };
  }
}

interface Helper {
  command: string;
  purpose: string;
  packages: Packages;
  on: readonly NodeJS.Platform[];
}

/** Programs that help and that one can do without. */
const HELPERS: readonly Helper[] = [
  { command: "xrandr", purpose: "lists the monitors of a display", packages: { apt: "x11-xserver-utils", dnf: "xrandr", pacman: "xorg-xrandr" }, on: ["linux"] },
  { command: "import", purpose: "captures displays that the built-in capture cannot", packages: { apt: "imagemagick", dnf: "ImageMagick" }, on: ["linux"] },
  { command: "zenity", purpose: "shows the form that `npm start` fills in", packages: { apt: "zenity" }, on: ["linux"] },
  { command: "ffmpeg", purpose: "reads videos, cameras, and sound that is no WAVE", packages: { apt: "ffmpeg" }, on: ["linux", "darwin"] },
  { command: "arecord", purpose: "records for `deskhand voice` (sox does so too)", packages: { apt: "alsa-utils" }, on: ["linux"] },
  { command: "sox", purpose: "records for `deskhand voice`", packages: { apt: "sox" }, on: ["darwin"] },
  { command: "espeak-ng", purpose: "speaks the replies of `deskhand voice`", packages: { apt: "espeak-ng" }, on: ["linux"] },
  { command: "secret-tool", purpose: "keeps secrets in the keychain; the environment does too", packages: { apt: "libsecret-tools", dnf: "libsecret", pacman: "libsecret" }, on: ["linux"] },
];

export function checkPrograms(platform: NodeJS.Platform = process.platform, path = process.env["PATH"] ?? ""): Check[] {
  return HELPERS.filter(({ on }) => on.includes(platform)).map(({ command, purpose, packages }): Check => {
    const file = findProgram(command, path);
    const check = { id: command, title: command };
    if (file !== undefined) return { ...check, status: "ok", found: file };
    return { ...check, status: "warn", found: `not installed; it ${purpose}`, mend: installCommand(packages) };
  });
}
