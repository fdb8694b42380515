import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { BUILD, ROOT } from "./paths.js";

/**
 * A hash over the content of files and folders and over loose values: the same inputs give the same text. It reads the
 * files rather than trust their times, which git and copies change; the whole tree is hashed in some 10 ms.
 * @param {{ files?: string[], values?: unknown[], ignore?: RegExp }} inputs absolute paths; a missing file counts as such
 */
export function fingerprint({ files = [], values = [], ignore }, root = ROOT) {
  const hash = createHash("sha256");
  hash.update(JSON.stringify(values));
  for (const file of files.flatMap((path) => expand(path)).sort()) {
    const name = relative(root, file);
    if (ignore?.test(name)) continue;
    hash.update(`\0${name}\0`);
    hash.update(contentOf(file));
  }
  return hash.digest("hex");
}

/** @returns {boolean} whether the phase last succeeded with this fingerprint */
export function isStamped(phase, print, folder = join(BUILD, "stamps")) {
  try {
    return readFileSync(join(folder, phase), "utf8") === print;
  } catch {
    return false;
  }
}

/** Records that the phase succeeded. Written last, and by rename: an interrupted phase leaves no stamp. */
export function writeStamp(phase, print, folder = join(BUILD, "stamps")) {
  const file = join(folder, phase);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, print);
  renameSync(`${file}.${process.pid}`, file);
}

function expand(path) {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return [path];
  }
  return entries.flatMap((entry) => (entry.isDirectory() ? expand(join(path, entry.name)) : [join(path, entry.name)]));
}

function contentOf(file) {
  try {
    return readFileSync(file);
  } catch {
    return "(missing)";
  }
}
