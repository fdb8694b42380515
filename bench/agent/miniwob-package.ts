import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../scripts/setup/paths.js";

/** The tasks' pages are in a Python package (MIT), of which nothing else is used. */
const VERSION = "1.0";
const WHEEL = `miniwob-${VERSION}-py3-none-any.whl`;
const SHA256 = "4b98466d863b2bc25d44acbcb719434c797b350b5e417b673766c1b6237f4704";

const run = promisify(execFile);

/** The folder with the pages, downloaded and checked the first time. */
export async function miniwobPages(): Promise<string> {
  const folder = join(ROOT, "build", `miniwob-${VERSION}`);
  const pages = join(folder, "miniwob", "html", "miniwob");
  if (existsSync(pages)) return pages;
  const downloads = join(ROOT, "build", "downloads");
  const wheel = join(downloads, WHEEL);
  await mkdir(downloads, { recursive: true });
  if (!existsSync(wheel)) await run("python3", ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--dest", downloads, `miniwob==${VERSION}`]);
  const found = createHash("sha256").update(await readFile(wheel)).digest("hex");
  if (found !== SHA256) throw new Error(`Expected ${wheel} to have the sha256 ${SHA256} but it has ${found}. Remove it and try again.`);
  const part = `${folder}.part-${process.pid}`;
  await run("python3", ["-m", "zipfile", "-e", wheel, part]);
  await rm(folder, { recursive: true, force: true });
  await rename(part, folder);
  return pages;
}
