import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { SetupError } from "./errors.js";
import { BUILD, ROOT } from "./paths.js";
import { run } from "./run.js";

/** Where a wheel may be put by hand on a machine without a network. */
export const DOWNLOADS = join(BUILD, "downloads");

export const LOCK_FILE = join(ROOT, "native", "mlx.lock.json");

/** Lists what a folder was unpacked from; written last, so its presence means that the folder is whole. */
const MARKER = ".wheels.json";

/** @returns {Promise<any>} native/mlx.lock.json */
export async function readLock() {
  return JSON.parse(await readFile(LOCK_FILE, "utf8"));
}

/** The parts of a wheel's file name (PEP 427) that pip asks for: `mlx_cpu-0.32.4-py3-none-TAG[.TAG…].whl`. @param {string} file */
export function parseWheelName(file) {
  const match = /^([^-]+)-([^-]+)-[^-]+-[^-]+-([^-]+)\.whl$/.exec(file);
  if (match === null) throw new SetupError(`Expected a wheel's file name like name-1.0-py3-none-any.whl but received ${JSON.stringify(file)}.`, { mend: "correct native/mlx.lock.json" });
  return { name: match[1], version: match[2], platform: match[3].split(".")[0] };
}

/** @param {string} path @returns {Promise<string>} lower-case hexadecimal */
export async function sha256OfFile(path) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** Throws and removes the file unless its sha256 is the locked one. @param {string} path @param {string} expected */
export async function verifyWheel(path, expected) {
  const actual = await sha256OfFile(path);
  if (actual === expected) return;
  await rm(path, { force: true });
  throw new SetupError(
    `Expected ${basename(path)} to have the sha256 ${expected} of native/mlx.lock.json but the file has ${actual}. It was removed.`,
    { mend: "run the command again; if it stays so, the package index or a proxy in between serves another file than the one this release was tested with" },
  );
}

/**
 * Downloads one locked wheel with pip, or takes it from build/downloads/, and checks it.
 * @param {{ file: string, sha256: string }} wheel
 * @param {(command: string, args: string[], options?: object) => Promise<string>} [runCommand]
 * @returns {Promise<string>} the path of the wheel
 */
export async function fetchWheel(wheel, downloads = DOWNLOADS, runCommand = run) {
  const target = join(downloads, wheel.file);
  if (!(await exists(target))) {
    const { name, version, platform } = parseWheelName(wheel.file);
    const partial = join(downloads, `.part-${process.pid}-${name}`);
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    try {
      // --python-version: the wheels hold no Python extension we use, so an older Python here is no hindrance.
      const args = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--platform", platform, "--dest", partial, `${name}==${version}`];
      await runCommand("python3", args, { mend: `check the network, or put ${wheel.file} into ${downloads} yourself, and run the command again` });
      const file = join(partial, wheel.file);
      if (!(await exists(file))) throw new SetupError(`Expected pip to download ${wheel.file} but it chose another file of ${name} ${version}.`, { mend: `put ${wheel.file} into ${downloads} yourself` });
      await rename(file, target);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
  await verifyWheel(target, wheel.sha256);
  return target;
}

/**
 * True when `folder` was unpacked from exactly these wheels (and these parts of them).
 * @param {string} folder
 * @param {{ sha256: string }[]} wheels
 * @param {string[]} [only]
 */
export async function isUnpacked(folder, wheels, only) {
  try {
    return (await readFile(join(folder, MARKER), "utf8")) === markerOf(wheels, only);
  } catch {
    return false;
  }
}

/**
 * Fetches wheels and unpacks them side by side into `folder`, which appears whole or not at all.
 * @param {{ file: string, sha256: string }[]} wheels
 * @param {string} folder
 * @param {object} [options]
 * @param {string[]} [options.only] path prefixes inside the wheels to keep
 * @param {(text: string) => void} [options.onProgress]
 * @param {(wheel: { file: string, sha256: string }) => Promise<string>} [options.fetch] gives the path of a checked wheel, which is then removed
 */
export async function installWheels(wheels, folder, { only, onProgress, fetch = fetchWheel } = {}) {
  const partial = `${folder}.part-${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    for (const [index, wheel] of wheels.entries()) {
      const count = wheels.length > 1 ? ` (${index + 1} of ${wheels.length})` : "";
      onProgress?.(`downloading ${wheel.file}${count}`);
      const path = await fetch(wheel);
      onProgress?.(`unpacking ${wheel.file}${count}`);
      await run("python3", ["-c", UNPACK, path, partial, ...(only ?? [])], { mend: "check the free disk space and run the command again" });
      await rm(path, { force: true });
    }
    await writeFile(join(partial, MARKER), markerOf(wheels, only));
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Python, because Node has no zip reader of its own and this runs before any package is installed. */
const UNPACK = `
import os, sys, zipfile
source, target, only = sys.argv[1], sys.argv[2], tuple(sys.argv[3:])
with zipfile.ZipFile(source) as archive:
    for entry in archive.infolist():
        if only and not entry.filename.startswith(only):
            continue
        path = archive.extract(entry, target)
        mode = entry.external_attr >> 16
        if mode & 0o111 and not entry.is_dir():
            os.chmod(path, mode & 0o777)
`;

function markerOf(wheels, only) {
  return `${JSON.stringify({ wheels: wheels.map((wheel) => wheel.sha256), only: only ?? null })}\n`;
}

async function exists(path) {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
