import { describe, expect, it } from "vitest";
import { MemoryComputer, settle } from "../../src/agent/computer/index.js";
import { sameButForCaret, THIN_CARET } from "../../src/agent/computer/settle.js";
import { isBlack, rgbaFromBgra } from "../../src/agent/computer/pixels.js";
import type { Screenshot } from "../../src/agent/computer/index.js";

/** Fills a rectangle with grey. */
function draw(frame: Screenshot, x: number, y: number, width: number, height: number, grey = 0): void {
  for (let row = y; row < y + height; row++) frame.data.fill(grey, (row * frame.widthPx + x) * 4, (row * frame.widthPx + x + width) * 4);
}

const fast = { intervalMs: 1, minMs: 0 };
const screen = (paint: (frame: Screenshot, capture: number) => void): MemoryComputer => new MemoryComputer({ widthPx: 200, heightPx: 100, paint: (frame, computer) => paint(frame, computer.captures) });

describe("settle", () => {
  it("returns after as many equal pairs as asked for, with the last frame", async () => {
    const still = screen((frame) => draw(frame, 10, 10, 50, 50));
    const result = await settle(still, { ...fast, equalFrames: 2 });
    expect(result).toMatchObject({ settled: true, captures: 3 });
    expect(result.frame.data[(10 * 200 + 10) * 4]).toBe(0);
  });

  it("starts to count anew with every change", async () => {
    // Changes at captures 2, 3 and 5.
    const busy = screen((frame, capture) => draw(frame, 0, 0, [0, 20, 40, 60, 60, 80][Math.min(capture, 5)] ?? 0, 50));
    expect(await settle(busy, { ...fast, equalFrames: 2 })).toMatchObject({ settled: true, captures: 7 });
  });

  it("does not take a screen that has not reacted yet for one that stands still", async () => {
    const late = screen((frame) => draw(frame, 0, 0, 1, 1));
    const { elapsedMs } = await settle(late, { intervalMs: 1, minMs: 80 });
    expect(elapsedMs).toBeGreaterThanOrEqual(80);
  });

  it("gives up at the cap and says so", async () => {
    const video = screen((frame, capture) => draw(frame, 0, 0, 100, 100, capture % 256));
    const result = await settle(video, { ...fast, capMs: 60 });
    expect(result.settled).toBe(false);
    expect(result.elapsedMs).toBeGreaterThanOrEqual(60);
  });

  it("ignores a blinking caret, scaled with the display", async () => {
    const blink = (frame: Screenshot, capture: number): void => {
      if (capture % 2) draw(frame, 50, 20, 2, 18);
    };
    expect(await settle(screen(blink), { ...fast, capMs: 500 })).toMatchObject({ settled: true });
    const retina = new MemoryComputer({ widthPx: 100, heightPx: 100, scale: 2, paint: (frame, { captures }) => (captures % 2 ? draw(frame, 50, 20, 16, 60) : undefined) });
    expect(await settle(retina, { ...fast, capMs: 500 })).toMatchObject({ settled: true });
  });

  it("ends with cancelled when it is aborted, also while it waits", async () => {
    await expect(settle(screen(() => undefined), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
    const controller = new AbortController();
    const waiting = settle(screen(() => undefined), { intervalMs: 60_000, minMs: 60_000, capMs: 120_000, signal: controller.signal });
    setTimeout(() => controller.abort(), 10);
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("the difference of two frames", () => {
  const frame = (paint: (frame: Screenshot) => void): Screenshot => {
    const empty = { data: new Uint8Array(200 * 100 * 4).fill(255), widthPx: 200, heightPx: 100 };
    paint(empty);
    return empty;
  };
  const blank = frame(() => undefined);

  it.each([
    ["nothing", 0, 0, 0, 0, true],
    ["a bar caret", 199, 80, 1, 20, true],
    ["a block caret", 0, 0, 10, 20, true],
    ["a wide box", 50, 50, 13, 2, false],
    ["a tall box", 50, 50, 2, 41, false],
  ])("%s", (_name, x, y, width, height, same) => {
    expect(sameButForCaret(blank, frame((other) => draw(other, x, y, width, height)), 1)).toBe(same);
  });

  it("takes the tick of a small box for a change where only a thin caret may differ", () => {
    const tick = frame((other) => draw(other, 50, 50, 7, 7));
    expect(sameButForCaret(blank, tick, 1)).toBe(true);
    expect(sameButForCaret(blank, tick, 1, THIN_CARET)).toBe(false);
    expect(sameButForCaret(blank, frame((other) => draw(other, 50, 50, 2, 20)), 1, THIN_CARET)).toBe(true);
  });

  it("counts two small changes far apart as one large", () => {
    const two = frame((other) => {
      draw(other, 5, 5, 1, 1);
      draw(other, 190, 90, 1, 1);
    });
    expect(sameButForCaret(blank, two, 1)).toBe(false);
  });

  it("counts another size as a change, and reads pixels that do not start on a word", () => {
    expect(sameButForCaret(blank, { ...blank, widthPx: 100, heightPx: 200 }, 1)).toBe(false);
    const shifted = new Uint8Array(blank.data.length + 1).subarray(1);
    shifted.set(blank.data);
    shifted[0] = 0;
    expect(sameButForCaret(blank, { ...blank, data: shifted }, 1)).toBe(true);
  });
});

describe("pixels", () => {
  it("come as BGRX rows with padding and leave as packed opaque RGBA", () => {
    const bgrx = Uint8Array.from([1, 2, 3, 0, 4, 5, 6, 7, 99, 99, 99, 99, 250, 251, 252, 0, 0, 0, 0, 0, 99, 99, 99, 99]);
    expect([...rgbaFromBgra(bgrx, 2, 2, 12)]).toEqual([3, 2, 1, 255, 6, 5, 4, 255, 252, 251, 250, 255, 0, 0, 0, 255]);
  });

  it("are black only when all of them are", () => {
    const black = { data: rgbaFromBgra(new Uint8Array(16), 2, 2, 8), widthPx: 2, heightPx: 2 };
    expect(isBlack(black)).toBe(true);
    black.data[14] = 1;
    expect(isBlack(black)).toBe(false);
  });
});
