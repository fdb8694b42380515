import { describe, expect, it } from "vitest";
import { MemoryComputer, openComputer, settle, type Screenshot } from "../../src/agent/computer/index.js";
import type { PlacedWindow } from "../../src/agent/computer/computer.js";
import { partOf } from "../../src/agent/computer/part-of-screen.js";
import { chooseMonitor } from "../../src/agent/computer/desktop.js";
import { desktopRegion } from "../../src/tools/arguments.js";
import { geometryOf, startApplication, xdotool } from "../support/desktop.js";
import { oneWindow } from "./support/people.js";
import { callText } from "./support/replies.js";
import { readTrajectory, withAgent } from "./support/run-agent.js";

/** Every captured pixel says where it is: red is its column, green its row. */
function paintPlaces(frame: Screenshot): void {
  for (let i = 0; i < frame.widthPx * frame.heightPx; i++) frame.data.set([i % frame.widthPx, Math.floor(i / frame.widthPx), 0], i * 4);
}

const firstPixel = ({ data }: Screenshot): number[] => [...data.subarray(0, 2)];

function windowsOf(placed: Partial<PlacedWindow>[]) {
  return Object.assign(oneWindow({ id: "1", applications: [], title: "" }), { list: async () => placed.map((window) => ({ id: "1", applications: [], title: "", x: 0, y: 0, width: 50, height: 40, ...window })) });
}

describe("a part of the screen", () => {
  it.each([1, 1.25, 1.5, 2])("is a display of its own, at its place on the desktop, at scale %d", async (scale) => {
    const whole = new MemoryComputer({ widthPx: 120, heightPx: 100, x: -120, y: 40, scale, paint: paintPlaces });
    const part = partOf(whole, { region: { x: -80, y: 60, width: 40, height: 20 } });
    expect(await part.display()).toEqual({ id: "memory", x: -80, y: 60, width: 40, height: 20, scale });
    const shot = await part.capture();
    expect([shot.widthPx, shot.heightPx]).toEqual([40 * scale, 20 * scale]);
    expect(firstPixel(shot)).toEqual([40 * scale, 20 * scale]);
  });

  it("ends where the display ends, and is refused outside of it", async () => {
    const whole = new MemoryComputer({ widthPx: 120, heightPx: 100, x: -120, y: 40 });
    expect(await partOf(whole, { region: { x: -20, y: 100, width: 500, height: 500 } }).display()).toMatchObject({ x: -20, y: 100, width: 20, height: 40 });
    await expect(partOf(whole, { region: { x: 5, y: 60, width: 40, height: 20 } }).capture()).rejects.toMatchObject({ code: "display_unavailable", message: expect.stringContaining("120 × 100 at -120,40") as string });
  });

  it("follows a window, but a picture is of the place that was told before it", async () => {
    const place: Partial<PlacedWindow> = { title: "Letter – Editor", x: 10, y: 20 };
    const whole = new MemoryComputer({ widthPx: 200, heightPx: 100, paint: paintPlaces, windows: windowsOf([{ title: "Other" }, place]) });
    const part = partOf(whole, { window: "editor" });
    expect(await part.display()).toMatchObject({ x: 10, y: 20, width: 50, height: 40 });
    place.x = 90;
    expect(firstPixel(await part.capture())).toEqual([10, 20]);
    expect(await part.display()).toMatchObject({ x: 90 });
    expect(firstPixel(await part.capture())).toEqual([90, 20]);
  });

  it("is refused for a window that is not there, with those that are", async () => {
    const part = partOf(new MemoryComputer({ widthPx: 9, heightPx: 9, windows: windowsOf([{ title: "Mail" }]) }), { window: "Editor" });
    await expect(part.display()).rejects.toThrow(/"Editor" in its title but received "Mail"/);
    await expect(partOf(new MemoryComputer({ widthPx: 9, heightPx: 9 }), { window: "x" }).display()).rejects.toThrow(/give a region/);
    expect(() => partOf(new MemoryComputer({ widthPx: 9, heightPx: 9 }), { window: "x", region: { x: 0, y: 0, width: 1, height: 1 } })).toThrow(/both/);
  });

  it("is what the model sees and where its clicks land", async () => {
    const replies = [callText({ action: "left_click", coordinate: [500, 500] }), callText({ action: "left_click" }), callText({ action: "terminate", status: "success" })].map((text) => ({ text }));
    await withAgent(replies, async ({ agent, computer }) => {
      const result = await agent.run("go");
      expect(computer.events[0]).toEqual({ type: "move", to: { x: 350, y: 150 } });
      const { run, steps } = await readTrajectory(result);
      expect(run.display).toContain("320 × 160");
      expect(steps[0]!.chain).toMatchObject({ captured: { width: 320, height: 160 }, display: { x: 190, y: 70 } });
    }, { agent: { model: "qwen", region: { x: 190, y: 70, width: 320, height: 160 } } });
  });

  it("is enlarged by a zoom, in coordinates of its own for one step", async () => {
    const replies = [{ action: "zoom", region: [500, 500, 750, 750] }, { action: "left_click", coordinate: [500, 500] }, { action: "left_click", coordinate: [500, 500] }, { action: "terminate", status: "success" }].map((args) => ({ text: callText(args) }));
    await withAgent(replies, async ({ agent, computer, server }) => {
      const { steps } = await readTrajectory(await agent.run("go"));
      const moves = computer.events.filter(({ type }) => type === "move");
      expect(moves).toEqual([{ type: "move", to: { x: 400, y: 300 } }, { type: "move", to: { x: 320, y: 240 } }]);
      expect(steps[1]!.chain).toMatchObject({ captured: { width: 320, height: 240 }, sent: { width: 1280, height: 960 }, display: { x: 320, y: 240, width: 160, height: 120, scale: 2 } });
      expect(JSON.stringify(server.requests[1]!.messages.at(-1))).toContain("enlarged");
    }, { agent: { model: "qwen" }, computer: { scale: 2 } });
  });
});

it("a window of a real display is found by its title, wherever it is", async () => {
  const opened = await openComputer({ display: "virtual", widthPx: 640, heightPx: 480 });
  const { computer, env } = opened;
  const dialog = await startApplication(env, "zenity", ["--question", "--title=Really now?"]);
  try {
    const part = partOf(computer, { window: "really" });
    for (const [x, y] of [["60", "50"], ["-20", "30"]] as const) {
      await xdotool(env, "windowmove", "--sync", dialog.window, x, y);
      await settle(computer);
      const at = await geometryOf(env, dialog.window);
      const left = Math.max(0, at.x);
      expect(await part.display()).toMatchObject({ x: left, y: at.y, width: at.x + at.width - left, height: at.height });
      const [whole, shot] = [await computer.capture(), await part.capture()];
      expect(firstPixel(shot)).toEqual([...whole.data.subarray((at.y * 640 + left) * 4, (at.y * 640 + left) * 4 + 2)]);
    }
  } finally {
    await dialog.kill();
    await opened.close();
  }
});

it("monitors are chosen by name, or by number from 1", () => {
  const monitors = ["DP-1", "HDMI-2", "2"].map((id, index) => ({ id, x: index * 100, y: 0, width: 100, height: 80, scale: 1, primary: index === 1 }));
  expect(chooseMonitor(monitors, undefined)).toMatchObject({ id: "HDMI-2" });
  expect(chooseMonitor(monitors, "DP-1")).toMatchObject({ x: 0 });
  expect(chooseMonitor(monitors, "1")).toMatchObject({ id: "DP-1" });
  // A name goes before a number.
  expect(chooseMonitor(monitors, "2")).toMatchObject({ id: "2" });
  expect(() => chooseMonitor(monitors, "4")).toThrow(/DP-1, HDMI-2, 2 but received 4/);
});

it("regions are written as four numbers", () => {
  expect(desktopRegion("-1920, 0,800,600")).toEqual({ x: -1920, y: 0, width: 800, height: 600 });
  for (const text of ["", "1,2,3", "1,2,0,5", "1,2,3,x", "1,2,3,4,5"]) expect(() => desktopRegion(text)).toThrow(/x,y,width,height/);
});
