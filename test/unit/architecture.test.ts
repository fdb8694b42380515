import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const FOLDERS = ["bin", "native", "scripts", "src"];

/** Every file the tree of ARCHITECTURE.md names, as a path. */
function listedFiles(): string[] {
  const files: string[] = [];
  let folder = "";
  for (const line of readFileSync(join(root, "ARCHITECTURE.md"), "utf8").split("\n")) {
    folder = /^### (\S+)$/.exec(line)?.[1] ?? folder;
    const file = /^- `([^`]+)` – ./.exec(line)?.[1];
    if (file !== undefined) files.push(`${folder}/${file}`);
  }
  return files;
}

it("ARCHITECTURE.md has one line for each file, and none for files that are gone", () => {
  const existing = FOLDERS.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
  const listed = listedFiles();
  expect(listed).toHaveLength(new Set(listed).size);
  expect({ unlisted: existing.filter((file) => !listed.includes(file)), gone: listed.filter((file) => !existing.includes(file)) }).toEqual({ unlisted: [], gone: [] });
});
