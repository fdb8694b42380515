import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MemoryComputer, openComputer, type Computer, type OpenedComputer } from "../../src/agent/computer/index.js";
import { calibrate, judge, targetsOf, type Probe } from "../../src/tools/doctor/calibrate.js";
import type { Check } from "../../src/tools/doctor/check.js";
import { startApplication, xdotool } from "../support/desktop.js";

/** The calibration on a real X server, whose window is told by the server where clicks arrive. */

const BIN = fileURLToPath(new URL("../../bin/deskhand.js", import.meta.url));
const { signal } = new AbortController();
const of = (checks: Check[]) => Object.fromEntries(checks.map(({ id, status }) => [id, status]));

let opened: OpenedComputer;
beforeAll(async () => {
  // Whatever the checkout still has to build is built, and said, here.
  await once(spawn(process.execPath, [BIN, "--version"], { stdio: "ignore" }), "exit");
  opened = await openComputer({ display: "virtual", widthPx: 801, heightPx: 600 });
});
afterAll(() => opened.close());

/** The same computer with another way of doing some of it. */
function butFor(changes: Partial<Computer>): Computer {
  return new Proxy(opened.computer, {
    get: (target, key) => {
      const value: unknown = Reflect.get(changes, key) ?? Reflect.get(target, key);
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

describe("the calibration", () => {
  it("finds every click where it was aimed, over whatever is open, and puts the pointer back", async () => {
    const dialog = await startApplication(opened.env, "zenity", ["--question", "--text=Do not press me"]);
    try {
      await xdotool(opened.env, "mousemove", "123", "45");
      const checks = await calibrate(opened.computer, opened.displayName, signal);
      expect(checks).toMatchObject([
        { id: "pointer", status: "ok", found: expect.stringMatching(/^the pointer arrives at 13 of 13 .*at most 0 px/) as string },
        { id: "clicks", status: "ok", found: expect.stringMatching(/^clicks arrive at 13 of 13 .*at most 0 px/) as string },
      ]);
      expect(await xdotool(opened.env, "getmouselocation")).toMatch(/^x:123 y:45 /);
      expect(dialog.child.exitCode).toBeNull();
    } finally {
      await dialog.kill();
    }
  });

  it("notices a scale that nobody told, and clicks that do not arrive", async () => {
    const halved = butFor({ move: ({ x, y }) => opened.computer.move({ x: x / 2, y: y / 2 }) });
    const [pointer, clicks] = await calibrate(halved, opened.displayName, signal);
    expect(pointer).toMatchObject({ status: "fail", found: expect.stringMatching(/only; sent to \(800, \d+\), it was at \(400, \d+\): a scale of 0\.5\d* × 0\.5\d* that/) as string });
    expect(clicks).toMatchObject({ status: "fail", mend: expect.stringContaining("xrandr") as string });
    const deaf = butFor({ click: async () => {} });
    expect(of(await calibrate(deaf, opened.displayName, signal))).toEqual({ pointer: "ok", clicks: "fail" });
  });

  it("clicks nothing where there is no window to hear it", async () => {
    const computer = new MemoryComputer({ widthPx: 640, heightPx: 480, scale: 2 });
    expect(of(await calibrate(computer, undefined, signal))).toEqual({ pointer: "ok", clicks: "unknown" });
    expect(new Set(computer.events.map(({ type }) => type))).toEqual(new Set(["move", "releaseAll"]));
  });

  it("aims at corners, edges and between, on a display left of the main one too", () => {
    const targets = targetsOf({ x: -1920, y: 10, width: 1920, height: 1080 });
    for (const corner of [[-1920, 10], [-1, 10], [-1920, 1089], [-1, 1089], [-960, 10]]) expect(targets).toContainEqual({ x: corner[0], y: corner[1] });
    const beside = targets.map((target): Probe => ({ target, pointer: target, arrived: { x: target.x + 6, y: target.y - 3 } }));
    expect(judge(beside, ":0")[1]).toMatchObject({ status: "fail", found: expect.stringMatching(/: 6, -3 px beside everywhere$/) as string });
    const within = targets.map((target): Probe => ({ target, pointer: target, arrived: { x: target.x + 1, y: target.y - 1 } }));
    expect(judge(within, ":0")[1]).toMatchObject({ status: "ok" });
  });

  it("takes nobody's mouse without being allowed to", async () => {
    await xdotool(opened.env, "mousemove", "77", "66");
    const child = spawn(process.execPath, [BIN, "doctor", "--json", "--calibrate"], { env: opened.env, stdio: ["ignore", "pipe", "ignore"] });
    const [stdout] = await Promise.all([text(child.stdout), once(child, "close")]);
    const checks = JSON.parse(stdout) as Check[];
    expect(checks.find(({ id }) => id === "clicks")).toMatchObject({ status: "unknown", mend: expect.stringContaining("--yes") as string });
    expect(checks.find(({ id }) => id === "session")).toMatchObject({ status: "ok", found: `X11 (${opened.displayName})` });
    expect(await xdotool(opened.env, "getmouselocation")).toMatch(/^x:77 y:66 /);
  });
});
