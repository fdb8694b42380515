import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What npm itself would put into the package. */
async function packed(): Promise<string[]> {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", "--offline"], { cwd: ROOT, maxBuffer: 32 * 1024 * 1024 });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  return files.map(({ path }) => path);
}

it("the package holds what its readme and the documents there point to", async () => {
  const files = await packed();
  const documents = ["README.md", ...files.filter((path) => /^docs\/.*\.md$/.test(path))];
  expect(documents.length).toBeGreaterThan(4);
  const targets = await Promise.all(documents.map(async (path) => linksIn(await readFile(join(ROOT, path), "utf8")).map((link) => normalize(join(dirname(path), link)))));
  // For whoever has the repository.
  const ofRepository = /^(ARCHITECTURE\.md|CONTRIBUTING\.md|test\/.*)$/;
  const missing = targets.flat().filter((target) => !ofRepository.test(target) && !files.some((path) => path === target || path.startsWith(`${target}/`)));
  expect(missing).toEqual([]);
});

/** Relative links and pictures, without what stands behind the `#`. */
function linksIn(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)#\s]+)/g)].flatMap(([, target]) => (target === undefined || /^[a-z]+:/.test(target) ? [] : [target.replace(/\/$/, "")]));
}
