import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { which } from "./run.js";

/**
 * @typedef {"build" | "fetch" | "desktop" | "demo" | "test"} Group
 * @typedef {object} Requirement
 * @property {string} name what is looked for, as a user knows it
 * @property {Group} group
 * @property {string} why
 * @property {string} [without] how to do without it; absent when there is no way
 * @property {string[]} [commands] there when all of these are on PATH
 * @property {string[]} [libraries] there when one of these is in a library folder
 * @property {string[]} [paths] there when one of these exists
 * @property {string[]} [python] there when the system's Python has all of these files of packages
 * @property {Record<"apt" | "dnf" | "pacman" | "zypper", string>} packages the package's name for each package manager
 * @property {string} [macos] the command that installs it on macOS; absent when macOS does not need it
 */

/** @type {Requirement[]} */
const LINUX_AND_MACOS = [
  { name: "cmake", group: "build", why: "builds the native addon", commands: ["cmake"], packages: same("cmake"), macos: "brew install cmake" },
  { name: "a C++ compiler", group: "build", why: "builds the native addon", commands: ["c++"], packages: { apt: "g++", dnf: "gcc-c++", pacman: "gcc", zypper: "gcc-c++" }, macos: "xcode-select --install" },
  { name: "make", group: "build", why: "builds the native addon", commands: ["make"], packages: same("make"), macos: "xcode-select --install" },
  { name: "python3", group: "fetch", why: "downloads and unpacks MLX's own release", commands: ["python3"], packages: { ...same("python3"), pacman: "python" }, macos: "xcode-select --install" },
];

/** @type {Requirement[]} */
const LINUX = [
  {
    name: "OpenBLAS", group: "build", why: "runs f32 matrix products on the CPU some 85 times as fast", without: "everything works, slowly",
    libraries: ["libopenblas.so.0", "libopenblasp.so.0"], packages: { apt: "libopenblas0-pthread", dnf: "openblas-threads", pacman: "openblas", zypper: "libopenblas_pthreads0" },
  },
  {
    name: "Xvfb", group: "desktop", why: "the virtual display that the agent works on", without: "use --display current on a desktop of your own",
    commands: ["Xvfb"], packages: { apt: "xvfb", dnf: "xorg-x11-server-Xvfb", pacman: "xorg-server-xvfb", zypper: "xorg-x11-server-Xvfb" },
  },
  {
    name: "openbox", group: "desktop", why: "the window manager of the virtual display", without: "use --display current on a desktop of your own",
    commands: ["openbox"], packages: same("openbox"),
  },
  {
    name: "xrandr", group: "desktop", why: "lists the monitors of a display", without: "all monitors count as one",
    commands: ["xrandr"], packages: { apt: "x11-xserver-utils", dnf: "xrandr", pacman: "xorg-xrandr", zypper: "xrandr" },
  },
  {
    name: "ImageMagick", group: "desktop", why: "captures a display where the built-in capture cannot", without: "the built-in capture is used alone",
    commands: ["import"], packages: { apt: "imagemagick", dnf: "ImageMagick", pacman: "imagemagick", zypper: "ImageMagick" },
  },
  {
    name: "a font", group: "desktop", why: "applications on the virtual display draw their text with it", without: "text on the virtual display may be boxes",
    paths: ["/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu-sans-fonts", "/usr/share/fonts/TTF", "/usr/share/fonts/truetype"],
    packages: { apt: "fonts-dejavu-core", dnf: "dejavu-sans-fonts", pacman: "ttf-dejavu", zypper: "dejavu-fonts" },
  },
  {
    name: "zenity", group: "demo", why: "the form that `npm start` fills in", without: "give `npm start` a task of your own",
    commands: ["zenity"], packages: same("zenity"),
  },
  {
    name: "GTK's icons", group: "demo", why: "zenity shows them", without: "zenity shows placeholders",
    paths: ["/usr/share/icons/Adwaita/index.theme"], packages: same("adwaita-icon-theme"),
  },
  {
    name: "ffmpeg", group: "test", why: "decodes videos and sound, and captures cameras and streams", without: "give the frames of videos as pictures, and WAVE files",
    commands: ["ffmpeg", "ffprobe"], packages: same("ffmpeg"),
  },
  { name: "Chromium", group: "test", why: "the tests open pages in it", commands: ["chromium"], packages: same("chromium") },
  {
    name: "PulseAudio", group: "test", why: "a sound server of the tests' own stands in for a microphone", commands: ["pulseaudio", "pactl", "paplay"],
    packages: { apt: "pulseaudio pulseaudio-utils", dnf: "pulseaudio pulseaudio-utils", pacman: "pulseaudio", zypper: "pulseaudio pulseaudio-utils" },
  },
  { name: "espeak-ng", group: "test", why: "speaks in the tests, and replies of `deskhand voice`", without: "replies are only written", commands: ["espeak-ng"], packages: same("espeak-ng") },
  {
    name: "GTK 3 for Python", group: "test", why: "the agent's tasks are done in applications of several toolkits", python: ["gi/overrides/Gtk.py", "cairo"], libraries: ["girepository-1.0/Gtk-3.0.typelib"],
    packages: { apt: "python3-gi python3-gi-cairo gir1.2-gtk-3.0", dnf: "python3-gobject gtk3", pacman: "python-gobject gtk3", zypper: "python3-gobject typelib-1_0-Gtk-3_0" },
  },
  {
    name: "Qt 5 for Python", group: "test", why: "the agent's tasks are done in applications of several toolkits", python: ["PyQt5/QtWidgets.pyi"],
    packages: { apt: "python3-pyqt5", dnf: "python3-qt5", pacman: "python-pyqt5", zypper: "python3-qt5" },
  },
  {
    name: "Tk for Python", group: "test", why: "the agent's tasks are done in applications of several toolkits", python: ["tkinter/__init__.py"],
    packages: { apt: "python3-tk", dnf: "python3-tkinter", pacman: "tk", zypper: "python3-tk" },
  },
  { name: "xterm", group: "test", why: "the agent's tasks are done in a terminal as well", commands: ["xterm"], packages: same("xterm") },
  { name: "arecord", group: "test", why: "records for `deskhand voice`", without: "give it files or streams with --input", commands: ["arecord"], packages: same("alsa-utils") },
  {
    name: "ALSA's way to PulseAudio", group: "test", why: "arecord records from the tests' sound server by it", paths: ["/usr/share/alsa/alsa.conf.d/50-pulseaudio.conf", "/etc/alsa/conf.d/50-pulseaudio.conf"],
    packages: { apt: "libasound2-plugins", dnf: "alsa-plugins-pulseaudio", pacman: "alsa-plugins", zypper: "alsa-plugins-pulse" },
  },
  { name: "xdotool", group: "test", why: "the tests read the pointer and windows with it", commands: ["xdotool"], packages: same("xdotool") },
  {
    name: "xprop and xwininfo", group: "test", why: "the tests read windows with them", commands: ["xprop", "xwininfo"],
    packages: { apt: "x11-utils", dnf: "xprop xwininfo", pacman: "xorg-xprop xorg-xwininfo", zypper: "xprop xwininfo" },
  },
  {
    name: "setxkbmap", group: "test", why: "the tests type on other keyboard layouts", commands: ["setxkbmap"],
    packages: { apt: "x11-xkb-utils", dnf: "setxkbmap", pacman: "xorg-setxkbmap", zypper: "setxkbmap" },
  },
]; // prettier-ignore

/** Not in the tables because only Python itself knows: asked for when a wheel has to be fetched. */
export const PIP = /** @type {Requirement} */ ({
  name: "pip", group: "fetch", why: "downloads MLX's own release",
  packages: { apt: "python3-pip", dnf: "python3-pip", pacman: "python-pip", zypper: "python3-pip" }, macos: "python3 -m ensurepip",
}); // prettier-ignore

/** Every requirement of a platform in these groups. @param {Group[]} groups @returns {Requirement[]} */
export function requirementsOf(groups, platform = process.platform) {
  const all = platform === "linux" ? [...LINUX_AND_MACOS, ...LINUX] : LINUX_AND_MACOS;
  return all.filter((requirement) => groups.includes(requirement.group));
}

/** Looks for files only, so it costs a millisecond and works the same on every system. @param {Requirement} requirement */
export function isPresent({ commands = [], libraries, paths, python = [] }) {
  if (!commands.every((command) => which(command) !== undefined)) return false;
  if (libraries !== undefined && !libraries.some((library) => libraryFolders().some((folder) => existsSync(join(folder, library))))) return false;
  if (!python.every((file) => pythonFolders().some((folder) => existsSync(join(folder, file))))) return false;
  return paths === undefined || paths.some((path) => existsSync(path));
}

let folders;
function libraryFolders() {
  folders ??= ["/usr/lib", "/usr/lib64", "/lib", "/lib64", ...triplets("/usr/lib"), ...triplets("/lib")];
  return folders;
}

let pythons;
/** Where Python's own packages are, and those of the system's package manager. */
function pythonFolders() {
  pythons ??= ["/usr/lib", "/usr/lib64"].flatMap((folder) => entries(folder).filter((name) => /^python3(\.\d+)?$/.test(name)).flatMap((name) => ["", "dist-packages", "site-packages"].map((packages) => join(folder, name, packages))));
  return pythons;
}

/** Debian's /usr/lib/x86_64-linux-gnu and its kind. */
function triplets(folder) {
  return entries(folder)
    .filter((name) => name.includes("-linux-gnu"))
    .map((name) => join(folder, name));
}

function entries(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function same(name) {
  return { apt: name, dnf: name, pacman: name, zypper: name };
}
