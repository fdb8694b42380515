import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { BUILD, ROOT } from "./paths.js";
import { run } from "./run.js";
import { fingerprint } from "./stamp.js";

const DIST = join(ROOT, "dist");

/** @returns {string | undefined} undefined when there are no sources: the installed package brings dist/ */
export function typescriptPrint() {
  if (!existsSync(join(ROOT, "tsconfig.build.json"))) return undefined;
  const files = ["src", "tsconfig.json", "tsconfig.build.json", "package.json", "node_modules/typescript/package.json"];
  return fingerprint({ files: files.map((name) => join(ROOT, name)), ignore: /\.(md|map)$/ });
}

export function distExists() {
  return existsSync(join(DIST, "index.js"));
}

/** Compiles src/ and puts dist/ in place in one step, so nobody ever imports half of it. */
export async function buildTypescript() {
  const partial = join(ROOT, `dist.part-${process.pid}`);
  const old = join(BUILD, `dist.old-${process.pid}`);
  try {
    const args = ["-p", join(ROOT, "tsconfig.build.json"), "--outDir", partial, "--incremental", "false", "--tsBuildInfoFile", "null", "--noEmitOnError", "--pretty", "false"];
    await run(process.execPath, [join(ROOT, "node_modules", "typescript", "bin", "tsc"), ...args], { cwd: ROOT, mend: "npm run build (after mending what the log names)" });
    if (existsSync(DIST)) await rename(DIST, old);
    await rename(partial, DIST);
  } finally {
    await rm(partial, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}
