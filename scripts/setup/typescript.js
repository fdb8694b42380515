import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { BUILD, ROOT } from "./paths.js";
import { run } from "./run.js";
import { fingerprint } from "./stamp.js";

const DIST = join(ROOT, "dist");
/** The pages' modules are for browsers, which have other globals. The live page's find those of the chat page beside them. */
const PAGES = [
  { project: join("src", "server", "page", "tsconfig.json"), folder: join("server", "page") },
  { project: join("src", "agent", "live", "page", "tsconfig.json"), folder: "" },
];

/** @returns {string | undefined} undefined when there are no sources: the installed package brings dist/ */
export function typescriptPrint() {
  if (!existsSync(join(ROOT, "tsconfig.build.json"))) return undefined;
  const files = ["src", "tsconfig.json", "tsconfig.build.json", "package.json", "node_modules/typescript/package.json"];
  return fingerprint({ files: files.map((name) => join(ROOT, name)), ignore: /\.(md|map|html|css|svg)$/ });
}

export function distExists() {
  return existsSync(join(DIST, "index.js"));
}

/** Compiles src/ and puts dist/ in place in one step, so nobody ever imports half of it. */
export async function buildTypescript() {
  const partial = join(ROOT, `dist.part-${process.pid}`);
  const old = join(BUILD, `dist.old-${process.pid}`);
  try {
    await compile("tsconfig.build.json", partial, "--incremental", "false", "--tsBuildInfoFile", "null");
    for (const { project, folder } of PAGES) await compile(project, join(partial, folder));
    if (existsSync(DIST)) await rename(DIST, old);
    await rename(partial, DIST);
  } finally {
    await rm(partial, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

async function compile(project, folder, ...more) {
  const args = ["-p", join(ROOT, project), "--outDir", folder, "--noEmitOnError", "--pretty", "false", ...more];
  await run(process.execPath, [join(ROOT, "node_modules", "typescript", "bin", "tsc"), ...args], { cwd: ROOT, mend: "npm run build (after mending what the log names)" });
}
