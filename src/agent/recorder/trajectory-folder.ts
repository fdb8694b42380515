import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { writeWhole } from "../../core/whole-file.js";
import { renderPage } from "./page.js";
import type { Trajectory } from "./records.js";

/** Files of a trajectory's folder. */
export const LINES_FILE = "trajectory.jsonl";
export const PAGE_FILE = "index.html";

/** Writes the page that shows a trajectory, whole or not at all. @returns its path. */
export async function writePage(dir: string, trajectory: Trajectory): Promise<string> {
  const pictures = new Map<string, Buffer>();
  for (const { picture, noticePicture } of trajectory.steps) {
    for (const file of [picture, noticePicture]) if (file !== undefined) pictures.set(file, await readPicture(dir, file));
  }
  const path = join(dir, PAGE_FILE);
  const page = renderPage(trajectory, pictures);
  await writeWhole(path, (partial) => writeFile(partial, page, { mode: 0o600 }));
  return path;
}

/** @throws DeskhandError `invalid_argument` when it is gone. */
export async function readPicture(dir: string, file: string): Promise<Buffer> {
  try {
    return await readFile(join(dir, file));
  } catch (cause) {
    throw new DeskhandError("invalid_argument", `Expected the picture ${file} in ${dir} but it cannot be read: ${messageOf(cause)}. A trajectory is its whole folder: copy that.`, { cause, param: "trajectory" });
  }
}
