import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Screenshot } from "../../src/agent/computer/computer.js";
import type { MemoryComputer } from "../../src/agent/computer/memory.js";
import * as library from "../../src/index.js";
import { exportFilm, type ExportOptions } from "../../src/agent/film/export.js";
import { readTrajectory, type StoredTrajectory } from "../../src/agent/replay/read-trajectory.js";
import { toolReply } from "./support/replies.js";
import { withAgent } from "./support/run-agent.js";

const CLICK = toolReply({ action: "left_click", coordinate: [750, 250] }, "Action: click <OK> & go");
const ZOOM = toolReply({ action: "zoom", region: [0, 0, 250, 1000] });
const DONE = toolReply({ action: "terminate", status: "success" });

/** Green, and a blue one after the click. */
function paint(frame: Screenshot, { events }: MemoryComputer): void {
  const blue = events.some(({ type }) => type === "click");
  for (let at = 0; at < frame.data.length; at += 4) frame.data.set(blue ? [0, 0, 200] : [0, 160, 0], at);
}

let home: string;
let trajectory: StoredTrajectory;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "deskhand-film-"));
  await withAgent([CLICK, ZOOM, DONE], async ({ agent, dir }) => {
    expect(await agent.run("press <OK>\u0007 on 日本 \ud800\uffff")).toMatchObject({ success: true, steps: 3 });
    for (const file of await readdir(dir)) await writeFile(join(home, file), await readFile(join(dir, file)));
  }, { agent: { model: "qwen", confirm: "never" }, computer: { paint } });
  trajectory = await readTrajectory(home);
});
afterAll(() => rm(home, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

const OPTIONS = { secondsPerStep: 1, widthPx: 320 };
const made = async (out: string, more: Partial<ExportOptions> = {}) => exportFilm(trajectory, { ...OPTIONS, out: join(home, out), ...more });

async function pageOf(path: string, page: number): Promise<{ pixel: (x: number, y: number) => number[]; width: number; height: number }> {
  const { data, info } = await sharp(path, { page }).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { pixel: (x, y) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)], width: info.width, height: info.height };
}

const isGreen = ([r, g, b]: number[]) => r! < 40 && Math.abs(g! - 160) < 40 && b! < 40;
const isBlue = ([r, g, b]: number[]) => r! < 40 && g! < 40 && Math.abs(b! - 200) < 40;
/** A GIF has 256 colours in all. */
const isBlack = (pixel: number[]) => Math.max(...pixel) < 32;
const isMark = ([r, g, b]: number[]) => r! > 200 && g! < 120 && b! > 60 && b! < 180;

describe("a film of a run", () => {
  // The task; two steps without and with their marks; one that has none; the end.
  const MS = [1250, 350, 650, 350, 650, 1000, 1250];

  it.each(["gif", "webp"] as const)("as a %s has the screens, what was done on them, and the pace", async (format) => {
    const progress: number[] = [];
    const path = await made(`run.${format}`, { onProgress: ({ done, total }) => progress.push(done / total!) });
    const { pages, delay, pageHeight, width, loop } = await sharp(path, { animated: true }).metadata();
    expect({ pages, delay, width, loop }).toEqual({ pages: 7, delay: MS, width: 320, loop: 0 });
    // 320 × 240 of a 640 × 480 screen, and the caption.
    expect(pageHeight! - 240).toBeGreaterThan(20);
    expect(progress).toEqual(MS.map((_, index) => (index + 1) / MS.length));

    const [card, before, marked, after, last] = await Promise.all([0, 1, 2, 3, 6].map((page) => pageOf(path, page)));
    // 750 and 250 of 1000, in the middle of the target.
    expect(isMark(marked!.pixel(240, 60))).toBe(true);
    expect([card!, before!, marked!].map((page) => isGreen(page.pixel(20, 200)))).toEqual([true, true, true]);
    expect(isGreen(before!.pixel(240, 60))).toBe(true);
    expect([after!.pixel(240, 60), last!.pixel(160, 120)].map(isBlue)).toEqual([true, true]);
    // Something is written below, and it differs from step to step.
    const band = (page: typeof card) => Array.from({ length: 300 }, (_, x) => Array.from({ length: 20 }, (_, y) => page!.pixel(10 + x, 244 + y)[0]!)).flat();
    for (const page of [card, before, last]) expect(Math.max(...band(page))).toBeGreaterThan(150);
    expect(band(card)).not.toEqual(band(before));
    expect(band(last)).not.toEqual(band(before));
  });

  it("shows a part of the screen in its own shape", async () => {
    // Of a quarter as wide as high: what is beside it is black.
    const zoomed = await pageOf(await made("zoom.gif"), 5);
    expect(isBlack(zoomed.pixel(20, 120))).toBe(true);
    expect(isBlue(zoomed.pixel(160, 120))).toBe(true);
    expect(isBlack(zoomed.pixel(300, 120))).toBe(true);
  });

  it("as an MP4 is one that every player takes, as long as it should be", async () => {
    const path = await made("run.mp4", { secondsPerStep: 0.5, widthPx: 321 });
    const probed = JSON.parse(execFileSync("ffprobe", ["-v", "error", "-show_streams", "-show_format", "-count_frames", "-of", "json", path], { encoding: "utf8" })) as { streams: Record<string, unknown>[]; format: { duration: string } };
    expect(probed.streams).toMatchObject([{ codec_type: "video", pix_fmt: "yuv420p", width: 322, r_frame_rate: "10/1" }]);
    // 0.63, 0.18 and 0.33 twice, 0.5 and 0.63 seconds, at ten pictures a second.
    expect(Number(probed.streams[0]!["nb_read_frames"])).toBe(6 + 2 * (2 + 3) + 5 + 6);
    expect(Number(probed.format.duration)).toBeCloseTo(2.7, 5);
    const pixels = execFileSync("ffmpeg", ["-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], { maxBuffer: 2 ** 28 });
    expect([...pixels.subarray(0, 3)]).toSatisfy(isGreen);
    const { width, height } = probed.streams[0] as { width: number; height: number };
    const middle = ((26 * height + 120) * width + 160) * 3;
    expect([...pixels.subarray(middle, middle + 3)]).toSatisfy(isBlue);
    // The index stands before the pictures.
    const bytes = await readFile(path);
    expect(bytes.indexOf("moov")).toBeLessThan(bytes.indexOf("mdat"));
  });

  it.each(["gif", "mp4"])("leaves nothing behind when it is interrupted, and what was there before stays (%s)", async (format) => {
    const out = join(home, `stopped.${format}`);
    await writeFile(out, "as it was");
    const stop = new AbortController();
    await expect(made(`stopped.${format}`, { signal: stop.signal, onProgress: ({ done }) => done === 2 && stop.abort() })).rejects.toMatchObject({ code: "cancelled" });
    expect(await readFile(out, "utf8")).toBe("as it was");
    expect((await readdir(home)).filter((name) => name.includes(".part"))).toEqual([]);
  });

  it("says what is missing, or cannot be", async () => {
    await expect(made("run.avi")).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringMatching(/ends in \.gif, \.webp, \.mp4 but received .*run\.avi/) as string });
    await expect(made("nowhere/run.gif")).rejects.toThrow(/folder that can be written to at .*nowhere/);
    await expect(exportFilm({ ...trajectory, steps: [] }, { ...OPTIONS, out: "x.gif" })).rejects.toThrow(/at least one screenshot/);
    const long = { ...trajectory, steps: Array.from({ length: 2000 }, () => trajectory.steps[0]!) };
    await expect(exportFilm(long, { ...OPTIONS, out: join(home, "x.gif") })).rejects.toThrow(/at most \d+ pictures of 320 × \d+ for a GIF but the run has 4002.*\.mp4.*--width/);
    vi.stubEnv("PATH", "/nowhere");
    await expect(made("run.mp4")).rejects.toMatchObject({ code: "dependency_missing", message: expect.stringMatching(/ffmpeg on the PATH.*apt install ffmpeg.*\.gif or \.webp/) as string });
    expect((await readdir(home)).filter((name) => name.includes(".part"))).toEqual([]);
  });
});

describe("a program", () => {
  it("reads, compares and films a recorded run with what the library offers, and needs to say no more than where", async () => {
    const stored = await library.readTrajectory(home);
    expect(library.isSame(await library.replayParse(stored))).toBe(true);
    const path = await library.exportFilm(stored, { out: join(home, "whole.gif") });
    expect(await sharp(path).metadata()).toMatchObject({ format: "gif", width: 960 });
    expect(await library.writePage(stored.dir, stored)).toBe(join(home, "index.html"));
    await expect(library.exportFilm(stored, { out: "x.gif", secondsPerStep: 0 })).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringContaining("secondsPerStep") as string });
  });
});
