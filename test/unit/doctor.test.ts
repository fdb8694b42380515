import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { MemoryComputer, type openComputer } from "../../src/agent/computer/index.js";
import { DeskhandError } from "../../src/core/errors.js";
import { exitCodeOf, formatChecks, type Check } from "../../src/tools/doctor/check.js";
import { checkDisplays, checkPrograms } from "../../src/tools/doctor/desktop.js";
import { checkModels } from "../../src/tools/doctor/model-store.js";
import { checkAddon, checkNode } from "../../src/tools/doctor/runtime.js";
import { main } from "../../src/tools/cli.js";
import { readLock } from "../../scripts/setup/wheel.js";

type Open = typeof openComputer;
const statuses = (checks: Check[]) => Object.fromEntries(checks.map(({ id, status }) => [id, status]));
const opened: MemoryComputer[] = [];
const works: Open = () => {
  const computer = new MemoryComputer({ widthPx: 800, heightPx: 600, scale: 2 });
  opened.push(computer);
  return Promise.resolve({ computer, env: {}, displayName: ":7", close: () => computer.close() });
};
const fails: Open = () => Promise.reject(new DeskhandError("dependency_missing", "Expected to start the program Xvfb but received: it is not installed."));

describe("deskhand doctor", () => {
  it("finds this machine fit for the tests, and says so as JSON", async () => {
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const exitCode = process.exitCode;
    try {
      expect(await main(["doctor", "--json"])).toBe(0);
      const checks = JSON.parse(String(write.mock.calls[0]?.[0])) as Check[];
      const { mlx } = (await readLock()) as { mlx: string };
      expect(checks.find(({ id }) => id === "addon")?.found).toContain(`MLX ${mlx} `);
      expect(statuses(checks)).toMatchObject({ node: "ok", addon: "ok", embedded_model: "ok" });
      if (process.platform === "linux") expect(statuses(checks)).toMatchObject({ virtual_display: "ok", zenity: "ok", xrandr: "ok", import: "ok" });
    } finally {
      write.mockRestore();
      process.exitCode = exitCode;
    }
  });

  it("ends with 1 for what is needed only, and shows what mends it below", () => {
    const warn: Check = { id: "a", title: "A", status: "warn", found: "slow", mend: "npm run x" };
    const fail: Check = { id: "b", title: "Bee", status: "fail", found: "gone" };
    expect([exitCodeOf([]), exitCodeOf([warn]), exitCodeOf([warn, fail])]).toEqual([0, 0, 1]);
    expect(formatChecks([warn, fail])).toBe("warn  A    slow\n           → npm run x\nfail  Bee  gone\n");
  });
});

describe("the runtime", () => {
  it.each([
    ["20.18.9", "fail"],
    ["20.19.0", "ok"],
    ["18.20.0", "fail"],
    ["24.0.0", "ok"],
  ])("Node %s: %s", (version, status) => {
    expect(checkNode(version).status).toBe(status);
  });

  it("survives an addon that does not load", async () => {
    const folder = mkdtempSync(join(tmpdir(), "deskhand-doctor-"));
    try {
      writeFileSync(join(folder, "bad.node"), "not a library");
      const [missing] = await checkAddon(join(folder, "none.node"));
      const [bad] = await checkAddon(join(folder, "bad.node"));
      expect(missing).toMatchObject({ status: "fail", found: expect.stringContaining("none.node") as string, mend: "npm run build:native" });
      expect(bad).toMatchObject({ status: "fail", mend: "npm run build:native" });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("the displays", () => {
  it("are looked at and closed again", async () => {
    opened.length = 0;
    const checks = await checkDisplays({ DISPLAY: ":7" }, "linux", works);
    expect(statuses(checks)).toEqual({ display: "ok", virtual_display: "ok" });
    expect(checks[0]?.found).toBe(":7, 800×600, captured as 1600×1200");
    expect(opened.map(({ captures, events }) => [captures, events.at(-1)?.type])).toEqual([
      [1, "close"],
      [1, "close"],
    ]);
  });

  it.each([
    ["no display at all, and no Xvfb", {}, "linux", fails, { display: "warn", virtual_display: "fail" }],
    ["no display, but a virtual one", {}, "linux", works, { display: "warn", virtual_display: "ok" }],
    ["Wayland alone", { WAYLAND_DISPLAY: "wayland-0" }, "linux", works, { display: "warn", virtual_display: "ok" }],
    ["a Mac that may not look", {}, "darwin", fails, { display: "fail" }],
    ["a Mac", {}, "darwin", works, { display: "ok" }],
  ] as const)("%s", async (_case, env, platform, open, expected) => {
    expect(statuses(await checkDisplays(env, platform, open))).toEqual(expected);
  });

  it("can do without Xvfb where there is a current display", async () => {
    const open: Open = (options) => (options.display === "current" ? works(options) : fails(options));
    expect(statuses(await checkDisplays({ DISPLAY: ":0" }, "linux", open))).toEqual({ display: "ok", virtual_display: "warn" });
  });

  it("have programs beside them that are named with their package", async () => {
    const checks = await checkPrograms("linux", "/nowhere");
    expect(checks.map(({ status, mend }) => [status, mend])).toContainEqual(["warn", "apt-get install imagemagick"]);
    expect(await checkPrograms("darwin")).toEqual([]);
  });
});

describe("the models", () => {
  it("are judged by what is on the disk", async () => {
    const list = () => Promise.resolve([{ id: "org/some-vlm", aliases: [], isCached: true, sizeBytes: 3e9 }]);
    const checks = await checkModels(list, join(tmpdir(), "not-made-yet", "hub"));
    expect(statuses(checks)).toEqual({ embedded_model: "fail", model_cache: "ok", cached_models: "ok" });
    expect(checks.at(-1)?.found).toBe("org/some-vlm (3000 MB)");
    expect(checks[0]?.mend).toContain("models/tiny");
  });

  it("warn of a cache that cannot be written", async () => {
    const checks = await checkModels(() => Promise.resolve([]), join(import.meta.filename, "hub"));
    expect(statuses(checks)).toMatchObject({ model_cache: "warn" });
  });

  it("fail by name when they cannot be listed", async () => {
    const list = () => Promise.reject(new Error("EACCES: permission denied"));
    expect(await checkModels(list, "/")).toMatchObject([{ status: "fail", found: "EACCES: permission denied" }]);
  });
});
