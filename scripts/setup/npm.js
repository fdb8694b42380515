import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./errors.js";
import { ROOT } from "./paths.js";
import { run } from "./run.js";

/**
 * True when node_modules/ holds what package-lock.json asks for. npm writes node_modules/.package-lock.json last, so an
 * interrupted install has none. Packages for other platforms are optional and may be absent.
 */
export function npmReady(root = ROOT) {
  const wanted = readJson(join(root, "package-lock.json"));
  if (wanted === undefined) return true; // installed as a package: npm has seen to it
  const installed = readJson(join(root, "node_modules", ".package-lock.json"));
  if (installed === undefined) return false;
  return Object.entries(wanted.packages).every(([path, { version, integrity, optional, link }]) => {
    if (path === "" || link) return true;
    const found = installed.packages[path];
    if (found === undefined) return optional === true;
    return found.version === version && found.integrity === integrity;
  });
}

/** Installs exactly what package-lock.json says, the development tools included (they build the TypeScript). */
export async function npmInstall(onProgress) {
  refuseLink();
  const args = ["ci", "--include=dev", "--no-fund", "--no-audit"];
  const mend = "npm ci (if it cannot reach the package registry: check the network, or `npm config get registry`)";
  const cli = process.env.npm_execpath;
  onProgress?.("npm ci");
  // Started by npm, we use that npm; else the one on PATH.
  if (cli !== undefined && /npm-cli\.[cm]?js$/.test(cli) && existsSync(cli)) await run(process.execPath, [cli, ...args], { cwd: ROOT, mend });
  else await run("npm", args, { cwd: ROOT, mend });
}

/** `npm ci` empties the folder first, and a link's is somebody else's. @throws SetupError */
export function refuseLink(root = ROOT) {
  const folder = join(root, "node_modules");
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new SetupError(`Expected node_modules to be a folder of this checkout but received a link to ${readlinkSync(folder)}, which does not hold what package-lock.json asks for and which npm would empty.`, { mend: "rm node_modules, then the same again" });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
