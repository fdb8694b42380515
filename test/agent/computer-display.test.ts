import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openComputer, startVirtualDisplay } from "../../src/agent/computer/index.js";
import { chooseMonitor } from "../../src/agent/computer/desktop.js";
import { descendantsOf, geometryOf, startApplication, until } from "../support/desktop.js";

const run = promisify(execFile);

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a virtual display", () => {
  it("has the size and resolution asked for, and a window manager that centres and focuses a dialog", async () => {
    const display = await startVirtualDisplay({ widthPx: 800, heightPx: 600 });
    try {
      const { stdout } = await run("xdpyinfo", [], { env: display.env });
      expect(stdout).toContain("dimensions:    800x600 pixels");
      expect(stdout).toContain("resolution:    96x96 dots per inch");
      const dialog = await startApplication(display.env, "zenity", ["--info", "--text=hello"]);
      const { x, y, width, height } = await geometryOf(display.env, dialog.window);
      // It was placed with its title bar, at the size it had first: half of each may be missing.
      expect(Math.abs(x + width / 2 - 400)).toBeLessThan(30);
      expect(Math.abs(y + height / 2 - 300)).toBeLessThan(30);
      await dialog.kill();
    } finally {
      await display.close();
    }
  });

  it("does not listen on the network", async () => {
    const display = await startVirtualDisplay();
    try {
      await expect(run("xdpyinfo", [], { env: { ...display.env, DISPLAY: `127.0.0.1${display.display}` } })).rejects.toThrow("unable to open display");
    } finally {
      await display.close();
    }
  });

  it("leaves no process when it closes, twice; several live side by side", async () => {
    const before = descendantsOf(process.pid);
    const displays = await Promise.all([startVirtualDisplay(), startVirtualDisplay(), startVirtualDisplay()]);
    expect(new Set(displays.map(({ display }) => display)).size).toBe(3);
    for (const display of displays) {
      await display.close();
      await display.close();
    }
    await until("its processes have gone", () => descendantsOf(process.pid).every((pid) => before.includes(pid)));
  });

  it("names the program that is missing and how to get it", async () => {
    vi.stubEnv("PATH", "/nonexistent");
    await expect(startVirtualDisplay()).rejects.toMatchObject({ code: "dependency_missing", message: expect.stringMatching(/Xvfb.*not installed.*apt-get install -y xvfb openbox/) as string });
  });

  it("refuses sizes that are not sizes", async () => {
    for (const widthPx of [0, -1, 3.5, Number.NaN, 100_000]) await expect(startVirtualDisplay({ widthPx })).rejects.toMatchObject({ code: "invalid_argument" });
  });

  it("stops starting when it is aborted, and leaves no process", async () => {
    const before = descendantsOf(process.pid);
    await expect(startVirtualDisplay({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
    const controller = new AbortController();
    const starting = startVirtualDisplay({ signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(starting).rejects.toMatchObject({ code: "cancelled" });
    await until("its processes have gone", () => descendantsOf(process.pid).every((pid) => before.includes(pid)));
  });
});

describe("the current display", () => {
  it("must be there", async () => {
    vi.stubEnv("DISPLAY", undefined);
    await expect(openComputer({ display: "current" })).rejects.toMatchObject({ code: "display_unavailable", message: expect.stringMatching(/DISPLAY is not set.*--display virtual/) as string });
    vi.stubEnv("DISPLAY", ":987");
    await expect(openComputer({ display: "current" })).rejects.toMatchObject({ code: "display_unavailable", message: expect.stringContaining(":987") as string });
    vi.stubEnv("DISPLAY", "nonsense");
    await expect(openComputer({ display: "current" })).rejects.toMatchObject({ code: "display_unavailable" });
  });

  it("is the primary monitor, the first, or the one that is named", () => {
    const monitor = (id: string, x: number, primary: boolean): Parameters<typeof chooseMonitor>[0][number] => ({ id, x, y: 0, width: 1920, height: 1080, scale: 1, primary });
    const [left, right] = [monitor("DP-1", 0, false), monitor("HDMI-1", 1920, true)];
    expect(chooseMonitor([left, right], undefined)).toEqual({ id: "HDMI-1", x: 1920, y: 0, width: 1920, height: 1080, scale: 1 });
    expect(chooseMonitor([left], undefined)?.id).toBe("DP-1");
    expect(chooseMonitor([left, right], "DP-1")?.x).toBe(0);
    expect(chooseMonitor([], undefined)).toBeUndefined();
    expect(() => chooseMonitor([left, right], "DP-2")).toThrow(/DP-1, HDMI-1.*DP-2/);
  });
});
