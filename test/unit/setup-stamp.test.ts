import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { npmReady, refuseLink } from "../../scripts/setup/npm.js";
import { fingerprint, isStamped, writeStamp } from "../../scripts/setup/stamp.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deskhand-stamp-"));
  mkdirSync(join(folder, "src/deep"), { recursive: true });
  writeFileSync(join(folder, "src/a.cc"), "a");
  writeFileSync(join(folder, "src/deep/b.cc"), "b");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const print = (values: unknown[] = []) => fingerprint({ files: [join(folder, "src"), join(folder, "lock.json")], values, ignore: /\.md$/ }, folder);

it("a fingerprint follows content, names, missing files and values, and nothing else", () => {
  const first = print();
  utimesSync(join(folder, "src/a.cc"), 1, 1);
  writeFileSync(join(folder, "src/notes.md"), "ignored");
  expect(print()).toBe(first);
  const others = [print(["cuda"])];
  writeFileSync(join(folder, "src/deep/b.cc"), "B");
  others.push(print());
  renameSync(join(folder, "src/a.cc"), join(folder, "src/c.cc"));
  others.push(print());
  writeFileSync(join(folder, "lock.json"), "{}");
  others.push(print());
  expect(new Set([first, ...others]).size).toBe(5);
});

it("a stamp holds for its own phase and fingerprint only, and is written whole", () => {
  const stamps = join(folder, "stamps");
  expect(isStamped("native", "x", stamps)).toBe(false);
  writeStamp("native", "x", stamps);
  expect(isStamped("native", "x", stamps)).toBe(true);
  expect(isStamped("native", "y", stamps)).toBe(false);
  expect(isStamped("typescript", "x", stamps)).toBe(false);
  expect(readdirSync(stamps)).toEqual(["native"]);
});

it("node_modules is ready when npm finished and every package has the locked content", () => {
  const lock = (packages: object, name: string) => writeFileSync(join(folder, name), JSON.stringify({ packages }));
  const zod = { version: "4.0.0", integrity: "sha512-z" };
  expect(npmReady(folder)).toBe(true); // no lock: installed as a package
  lock({ "": {}, "node_modules/zod": zod, "node_modules/mac-only": { version: "1.0.0", integrity: "sha512-m", optional: true } }, "package-lock.json");
  expect(npmReady(folder)).toBe(false);
  mkdirSync(join(folder, "node_modules"));
  lock({ "node_modules/zod": zod }, "node_modules/.package-lock.json");
  expect(npmReady(folder)).toBe(true);
  lock({ "node_modules/zod": { ...zod, version: "4.0.1" } }, "node_modules/.package-lock.json");
  expect(npmReady(folder)).toBe(false);
  lock({}, "node_modules/.package-lock.json");
  expect(npmReady(folder)).toBe(false);
});

it("node_modules that are a link are not npm's to empty", () => {
  refuseLink(folder);
  mkdirSync(join(folder, "theirs/kept"), { recursive: true });
  symlinkSync(join(folder, "theirs"), join(folder, "node_modules"));
  expect(() => refuseLink(folder)).toThrow(expect.objectContaining({ name: "SetupError", message: expect.stringContaining(join(folder, "theirs")) as string, mend: expect.stringContaining("rm node_modules") as string }));
});
