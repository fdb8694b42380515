import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { MemoryComputer, type openComputer } from "../../src/agent/computer/index.js";
import { DeskhandError } from "../../src/core/errors.js";
import { bounded, exitCodeOf, formatChecks, type Check } from "../../src/tools/doctor/check.js";
import type { openMicrophone } from "../../src/agent/voice/microphone.js";
import { checkDisplays, checkMonitors, checkPrograms, checkSession } from "../../src/tools/doctor/desktop.js";
import { installCommand } from "../../src/tools/doctor/install.js";
import { checkMicrophone } from "../../src/tools/doctor/microphone.js";
import { checkPermissions } from "../../src/tools/doctor/permissions.js";
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
    expect(exitCodeOf([{ ...fail, status: "unknown" }])).toBe(0);
    expect(formatChecks([warn, fail])).toBe("warn     A    slow\n              → npm run x\nfail     Bee  gone\n");
  });

  it("waits for no check longer than it has time for, and survives those that break", async () => {
    const about = { id: "slow", title: "Slow" };
    let told: AbortSignal | undefined;
    const hangs = await bounded(about, 20, (signal) => new Promise(() => (told = signal)));
    expect(hangs).toEqual([{ ...about, status: "unknown", found: "no answer within 0.02 s" }]);
    expect(told?.aborted).toBe(true);
    expect(await bounded(about, 1000, () => Promise.reject(new Error("boom")))).toEqual([{ ...about, status: "unknown", found: "could not be found out: boom" }]);
    expect(await bounded(about, 1000, () => [{ ...about, status: "ok", found: "fine" }])).toMatchObject([{ status: "ok" }]);
  });

  it.each([
    [["apt-get", "brew"], false, "sudo apt-get install -y imagemagick"],
    [["dnf"], true, "dnf install -y ImageMagick"],
    [["pacman"], false, "sudo pacman -S --noconfirm imagemagick"],
    [["brew"], false, "brew install imagemagick"],
    [[], false, "install imagemagick with your system's package manager"],
  ])("gives the command of the manager there is: %j", (managers, isRoot, command) => {
    expect(installCommand({ apt: "imagemagick", dnf: "ImageMagick" }, (program) => managers.includes(program), isRoot)).toBe(command);
  });
});

describe("the session", () => {
  it.each([
    ["X11", { DISPLAY: ":0", XDG_SESSION_TYPE: "x11" }, "ok", /X11 \(:0\)/],
    ["Wayland", { WAYLAND_DISPLAY: "wayland-0" }, "warn", /Wayland \(wayland-0\)/],
    ["Wayland with Xwayland", { WAYLAND_DISPLAY: "wayland-0", DISPLAY: ":0" }, "warn", /with Xwayland at :0/],
    ["Wayland by its type alone", { XDG_SESSION_TYPE: "wayland", DISPLAY: ":0" }, "warn", /Wayland/],
    ["no desktop", { XDG_SESSION_TYPE: "tty" }, "ok", /none/],
  ])("%s", (_case, env, status, found) => {
    expect(checkSession(env, "linux")).toMatchObject([{ status, found: expect.stringMatching(found) as string }]);
    expect(checkSession(env, "darwin")).toEqual([]);
  });

  it("has monitors, each with its place and scale", async () => {
    const monitor = { id: "DP-1", x: -1920, y: 0, width: 1920, height: 1080, scale: 1, primary: true };
    expect(await checkMonitors({ DISPLAY: ":0" }, "linux", async () => [monitor])).toMatchObject([{ status: "ok", found: "DP-1 1920×1080 at -1920,0, scale 1 (primary)" }]);
    expect(await checkMonitors({ DISPLAY: ":0" }, "linux", () => Promise.reject(new Error("no xrandr")))).toMatchObject([{ status: "unknown", mend: expect.stringMatching(/install/) as string }]);
    expect(await checkMonitors({}, "linux")).toEqual([]);
  });
});

describe("a Mac's permissions", () => {
  const ask = async (answer: string | Error) => {
    const run = () => (typeof answer === "string" ? Promise.resolve(answer) : Promise.reject(answer));
    return checkPermissions("darwin", new AbortController().signal, run);
  };

  it("are asked of the system, each with the command that opens its settings", async () => {
    expect(statuses(await ask('{"screen":true,"accessibility":true,"microphone":3}\n'))).toEqual({ screen_recording: "ok", accessibility: "ok", microphone_permission: "ok" });
    const denied = await ask('{"screen":false,"accessibility":false,"microphone":2}');
    expect(statuses(denied)).toEqual({ screen_recording: "fail", accessibility: "fail", microphone_permission: "warn" });
    expect(denied.map(({ mend }) => /Privacy_\w+/.exec(mend ?? "")?.[0])).toEqual(["Privacy_ScreenCapture", "Privacy_Accessibility", "Privacy_Microphone"]);
    expect((await ask('{"screen":true,"accessibility":true,"microphone":0}'))[2]).toMatchObject({ status: "unknown", found: "not asked yet" });
  });

  it("are not known when the system cannot be asked, and other systems have none", async () => {
    expect(await ask(new Error("spawn osascript ENOENT"))).toMatchObject([{ status: "unknown", found: expect.stringContaining("osascript") as string }]);
    expect(await ask("execution error")).toMatchObject([{ status: "unknown" }]);
    expect(await checkPermissions("linux", new AbortController().signal, () => Promise.reject(new Error("not to be asked")))).toEqual([]);
  });
});

describe("the microphone", () => {
  type OpenMicrophone = typeof openMicrophone;
  const giving = (...chunks: Int16Array[]): OpenMicrophone => () => ({ name: "the microphone", live: true, samples: (async function* () { yield* chunks; })(), [Symbol.asyncDispose]: async () => {} }); // prettier-ignore
  const failing = (code: "dependency_missing" | "microphone_unavailable"): OpenMicrophone => () => {
    throw new DeskhandError(code, "no microphone here");
  };
  const ask = (open: OpenMicrophone) => checkMicrophone(new AbortController().signal, open);

  it.each([
    ["sound", giving(new Int16Array(4000).fill(7)), "ok", /loudest sample 7/],
    ["silence of a muted one", giving(new Int16Array(4000)), "warn", /nothing but zeros/],
    ["a recording that breaks off", giving(new Int16Array(10)), "unknown", /ended early/],
    ["no recorder", failing("dependency_missing"), "warn", /no microphone here/],
    ["no microphone", failing("microphone_unavailable"), "warn", /no microphone here/],
  ])("%s", async (_case, open, status, found) => {
    const [check] = await ask(open);
    expect(check).toMatchObject({ status, found: expect.stringMatching(found) as string });
    expect(check!.mend !== undefined).toBe(status === "warn");
  });

  it("that gives nothing ends with the time for it", async () => {
    let ended = (): void => undefined;
    const silent: OpenMicrophone = () => ({
      name: "the microphone",
      live: true,
      samples: (async function* () {
        await new Promise<void>((resolve) => (ended = resolve));
        yield new Int16Array(0);
      })(),
      [Symbol.asyncDispose]: async () => ended(),
    });
    expect(await bounded({ id: "microphone", title: "Microphone" }, 20, (signal) => checkMicrophone(signal, silent))).toMatchObject([{ status: "unknown" }]);
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
    const checks = checkPrograms("linux", "/nowhere");
    expect(checks.find(({ id }) => id === "import")).toMatchObject({ status: "warn", mend: expect.stringMatching(/install.* imagemagick/i) as string });
    expect(checkPrograms("darwin", "/nowhere").map(({ id }) => id)).toEqual(["ffmpeg", "sox"]);
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
