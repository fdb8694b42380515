import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
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
  const args = ["ci", "--include=dev", "--no-fund", "--no-audit"];
  const mend = "npm ci (if it cannot reach the package registry: check the network, or `npm config get registry`)";
  const cli = process.env.npm_execpath;
  onProgress?.("npm ci");
  // Started by npm, we use that npm; else the one on PATH.
  if (cli !== undefined && /npm-cli\.[cm]?js$/.test(cli) && existsSync(cli)) await run(process.execPath, [cli, ...args], { cwd: ROOT, mend });
  else await run("npm", args, { cwd: ROOT, mend });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
