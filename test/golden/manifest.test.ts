import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

// The goldens must be the ones their references made: every file is in the manifest, unchanged. `training/make-golden` writes it.

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const GOLDEN = join(REPOSITORY, "test/golden");

const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

it("holds every fixture, and what the embedded model's goldens depend on, as they are", () => {
  const manifest = JSON.parse(readFileSync(join(GOLDEN, "manifest.json"), "utf8")) as { files: Record<string, { sha256: string }>; models: Record<string, string> };
  const recorded = { ...Object.fromEntries(Object.entries(manifest.files).map(([path, { sha256 }]) => [path, sha256])), ...manifest.models };
  const fixtures = readdirSync(join(GOLDEN, "fixtures"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const present = {
    ...Object.fromEntries(fixtures.map((entry) => join(entry.parentPath, entry.name)).map((path) => [path.slice(GOLDEN.length + 1), sha256(path)])),
    ...Object.fromEntries(Object.keys(manifest.models).map((path) => [path, sha256(join(REPOSITORY, path))])),
  };
  expect(present).toEqual(recorded);
});
