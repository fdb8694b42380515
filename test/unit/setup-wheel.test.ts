import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fetchWheel, installWheels, isUnpacked, parseWheelName, verifyWheel } from "../../scripts/setup/wheel.js";

const FILE = "thing-1.2.3-py3-none-any.whl";
const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "deskhand-wheel-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Stands in for pip: writes what it is told to into the folder it is given. */
const pip = (content: string, name = FILE) => (_command: string, args: string[]) => {
  writeFileSync(join(args[args.indexOf("--dest") + 1] ?? "", name), content);
  return Promise.resolve("");
};

/** A real zip file, made by Python; returns its path and sha256. */
function makeWheel(name: string, entries: Record<string, string>): { file: string; path: string; sha256: string } {
  const path = join(folder, name);
  const script = "import json,sys,zipfile\nz=zipfile.ZipFile(sys.argv[1],'w')\nfor n,c in json.loads(sys.argv[2]).items():\n i=zipfile.ZipInfo(n); i.external_attr=(0o100755 if n.endswith('.sh') else 0o100644)<<16; z.writestr(i,c)\nz.close()";
  execFileSync("python3", ["-c", script, path, JSON.stringify(entries)]);
  return { file: name, path, sha256: sha256(readFileSync(path)) };
}

describe("wheel names", () => {
  it("give pip the name, the version and the first platform tag", () => {
    expect(parseWheelName("ziglang-0.17.0-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.whl")).toEqual({ name: "ziglang", version: "0.17.0", platform: "manylinux_2_12_x86_64" });
    expect(() => parseWheelName("mlx.tar.gz")).toThrow(/Expected a wheel's file name .* "mlx.tar.gz"/);
  });
});

describe("a download", () => {
  it("with another sha256 than the lock's is refused, removed and explained", async () => {
    const wanted = sha256("the real wheel");
    await expect(fetchWheel({ file: FILE, sha256: wanted }, folder, pip("something else"))).rejects.toThrow(`sha256 ${wanted} of native/mlx.lock.json but the file has ${sha256("something else")}`);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("with the right sha256 is kept and not fetched twice", async () => {
    const wheel = { file: FILE, sha256: sha256("good") };
    expect(await fetchWheel(wheel, folder, pip("good"))).toBe(join(folder, FILE));
    const again = () => Promise.reject(new Error("fetched twice"));
    expect(await fetchWheel(wheel, folder, again)).toBe(join(folder, FILE));
  });

  it("of another file than the locked one leaves nothing behind", async () => {
    await expect(fetchWheel({ file: FILE, sha256: sha256("good") }, folder, pip("good", "thing-1.2.4-py3-none-any.whl"))).rejects.toThrow(/Expected pip to download thing-1.2.3/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("that was put there by hand is checked too", async () => {
    const path = join(folder, FILE);
    writeFileSync(path, "truncat");
    await expect(verifyWheel(path, sha256("truncated"))).rejects.toThrow("It was removed");
    expect(existsSync(path)).toBe(false);
  });
});

describe("unpacking", () => {
  it("puts wheels side by side, keeps what runs runnable, and knows them again", async () => {
    const wheels = [makeWheel("a-1-py3-none-any.whl", { "a/lib.so": "A", "a/tool.sh": "#!/bin/sh\n" }), makeWheel("b-1-py3-none-any.whl", { "b/lib.so": "B" })];
    const target = join(folder, "mlx");
    await installWheels(wheels, target, { fetch: (wheel) => Promise.resolve(join(folder, wheel.file)) });
    expect(readFileSync(join(target, "b/lib.so"), "utf8")).toBe("B");
    expect(statSync(join(target, "a/tool.sh")).mode & 0o111).toBe(0o111);
    expect(await isUnpacked(target, wheels)).toBe(true);
    expect(await isUnpacked(target, wheels.slice(1))).toBe(false);
    expect(await isUnpacked(target, wheels, ["a/"])).toBe(false);
  });

  it("keeps only the parts asked for", async () => {
    const wheel = makeWheel("a-1-py3-none-any.whl", { "a/include/x.h": "x", "a/huge.bin": "y" });
    await installWheels([wheel], join(folder, "mlx"), { only: ["a/include/"], fetch: () => Promise.resolve(wheel.path) });
    expect(readdirSync(join(folder, "mlx/a"))).toEqual(["include"]);
  });

  it("that fails leaves what was there before, and nothing half-done", async () => {
    const target = join(folder, "mlx");
    const good = makeWheel("a-1-py3-none-any.whl", { "a/lib.so": "old" });
    await installWheels([good], target, { fetch: () => Promise.resolve(good.path) });
    const broken = join(folder, "broken.whl");
    writeFileSync(broken, "not a zip file");
    await expect(installWheels([{ file: "broken.whl", sha256: "0" }], target, { fetch: () => Promise.resolve(broken) })).rejects.toThrow(/exit code 1/);
    expect(readFileSync(join(target, "a/lib.so"), "utf8")).toBe("old");
    expect(readdirSync(folder).filter((name) => name.includes(".part-"))).toEqual([]);
  });
});
