import { describe, expect, it } from "vitest";
import { modelToScreen, screenToModel, type CoordinateChain, type ModelSpace } from "../../src/agent/coordinates.js";
import { tiny } from "../../src/agent/dialects/tiny.js";
import { sentSize } from "../../src/agent/scene.js";
import { goldenJson } from "../unit/support/golden.js";

const RELATIVE: ModelSpace = { kind: "relative", max: 1000 };
const PIXELS: ModelSpace = { kind: "pixels" };

/** Real displays: laptops, full HD, 4K, ultra-wide, portrait, and the embedded model's own size. */
const DISPLAYS = [
  [640, 480],
  [1024, 768],
  [1280, 800],
  [1366, 768],
  [1512, 982],
  [1920, 1080],
  [1080, 1920],
  [2560, 1440],
  [3440, 1440],
  [3840, 2160],
] as const;
const SCALES = [1, 1.25, 1.5, 2];
const OFFSETS = [
  [0, 0],
  [1920, 0],
  [-1920, 0],
  [-1280, -800],
  [137, -1081],
] as const;
const SENT = [
  { name: "as the embedded model takes it", size: tiny.pictureSize },
  { name: "fitted to multiples of 32", size: { multiple: 32, minPixels: 1, maxPixels: 1920 * 1088 } },
  { name: "fitted to multiples of 28, small", size: { multiple: 28, minPixels: 1, maxPixels: 500_000 } },
] as const;

function* chains(): Iterable<{ name: string; chain: CoordinateChain }> {
  for (const [width, height] of DISPLAYS)
    for (const scale of SCALES)
      for (const [x, y] of OFFSETS)
        for (const { name, size } of SENT)
          for (const space of [RELATIVE, PIXELS]) {
            const captured = { width: Math.round(width * scale), height: Math.round(height * scale) };
            const chain = { space, sent: sentSize(captured, size), captured, display: { x, y, width, height, scale } };
            yield { name: `${width}×${height} at ${x},${y} scale ${scale}, ${name}, ${space.kind}`, chain };
          }
}

/** Corners, edges and an uneven spread of points between them. */
function* pointsOn({ display }: CoordinateChain): Iterable<{ x: number; y: number }> {
  const along = (size: number) => [0, 1, Math.floor(size / 3), Math.floor(size / 2), Math.floor(size * 0.77), size - 2, size - 1];
  for (const x of along(display.width)) for (const y of along(display.height)) yield { x: display.x + x, y: display.y + y };
}

describe("coordinate chain", () => {
  it("returns every screen point to itself, over displays, scales, offsets and picture sizes", () => {
    let count = 0;
    for (const { name, chain } of chains())
      for (const os of pointsOn(chain)) {
        const back = modelToScreen(chain, screenToModel(chain, os).model);
        expect(Math.abs(back.os.x - os.x), name).toBeLessThanOrEqual(1);
        expect(Math.abs(back.os.y - os.y), name).toBeLessThanOrEqual(1);
        count += 1;
      }
    expect(count).toBe(10 * 4 * 5 * 3 * 2 * 49);
  });

  it("returns every whole model coordinate to within 1 px of the screen", () => {
    for (const { name, chain } of chains()) {
      const [maxX, maxY] = chain.space.kind === "relative" ? [1000, 1000] : [chain.sent.width - 1, chain.sent.height - 1];
      for (const part of [0, 0.001, 0.25, 0.5, 0.7331, 0.999, 1]) {
        const model = { x: Math.round(part * maxX), y: Math.round((1 - part) * maxY) };
        const there = modelToScreen(chain, model);
        const back = screenToModel(chain, there.os);
        // One logical pixel, in model units. The far edge moves to the last pixel, which is one pixel too.
        const unit = { x: maxX / chain.display.width, y: maxY / chain.display.height };
        expect(Math.abs(back.model.x - model.x) / unit.x, name).toBeLessThanOrEqual(1.001);
        expect(Math.abs(back.model.y - model.y) / unit.y, name).toBeLessThanOrEqual(1.001);
      }
    }
  });

  it("always lands on a pixel of the display", () => {
    for (const { name, chain } of chains()) {
      const far = chain.space.kind === "relative" ? { x: 1000, y: 1000 } : { x: chain.sent.width - 1, y: chain.sent.height - 1 };
      for (const model of [{ x: 0, y: 0 }, far]) {
        const { os } = modelToScreen(chain, model);
        expect(Number.isInteger(os.x) && Number.isInteger(os.y), name).toBe(true);
        expect(os.x >= chain.display.x && os.x < chain.display.x + chain.display.width, name).toBe(true);
        expect(os.y >= chain.display.y && os.y < chain.display.y + chain.display.height, name).toBe(true);
      }
    }
  });

  it("gives every stage, worked out by hand", () => {
    const chain: CoordinateChain = {
      space: RELATIVE,
      sent: { width: 640, height: 480 },
      captured: { width: 2880, height: 1800 },
      display: { x: -1440, y: 100, width: 1440, height: 900, scale: 2 },
    };
    expect(modelToScreen(chain, { x: 250, y: 500 })).toEqual({
      model: { x: 250, y: 500 },
      sent: { x: 160, y: 240 },
      captured: { x: 720, y: 900 },
      logical: { x: 360, y: 450 },
      os: { x: -1080, y: 550 },
    });
  });

  it("survives a trip through JSON", () => {
    for (const { chain } of chains()) expect(JSON.parse(JSON.stringify(chain))).toEqual(chain);
  });

  it.each([
    [{ x: 1001, y: 5 }, RELATIVE],
    [{ x: 5, y: -1 }, RELATIVE],
    [{ x: 1412, y: 5 }, RELATIVE],
    [{ x: NaN, y: 5 }, RELATIVE],
    [{ x: 640, y: 5 }, PIXELS],
    [{ x: 5, y: 480 }, PIXELS],
    [{ x: Infinity, y: 5 }, PIXELS],
  ])("refuses %o in %o and says what is allowed", (point, space) => {
    const chain: CoordinateChain = { space, sent: { width: 640, height: 480 }, captured: { width: 640, height: 480 }, display: { x: 0, y: 0, width: 640, height: 480, scale: 1 } };
    const allowed = space.kind === "relative" ? /from 0 to 1000/ : /x from 0 to 639 and y from 0 to 479/;
    expect(() => modelToScreen(chain, point)).toThrow(allowed);
    expect(() => modelToScreen(chain, point)).toThrow(expect.objectContaining({ code: "model_output" }));
  });
});

describe("size of the sent picture", () => {
  it.each([
    [{ width: 1920, height: 1080 }, { width: 1920, height: 1088 }],
    [{ width: 1280, height: 800 }, { width: 1280, height: 800 }],
    [{ width: 1000, height: 700 }, { width: 992, height: 704 }],
    // 22.5 times 32: as transformers' smart_resize, by Python's rounding.
    [{ width: 1280, height: 720 }, { width: 1280, height: 704 }],
    [{ width: 10, height: 10 }, { width: 32, height: 32 }],
  ])("rounds %o to %o", (captured, expected) => {
    expect(sentSize(captured, { multiple: 32, minPixels: 1, maxPixels: 1920 * 1088 })).toEqual(expected);
  });

  it("is the one that transformers' smart_resize leaves as it is", async () => {
    const rows = await goldenJson<{ height: number; width: number; factor: number; min_pixels: number; max_pixels: number; result: [number, number] }[]>("smart-resize.json");
    // Sides of less than half a block round to none there, and the picture is made much larger; the same block that ours become is left as it is.
    const given = rows.filter(({ width, height, factor }) => Math.min(width, height) > factor / 2);
    expect(given.length).toBeGreaterThan(50);
    expect(given.map(({ width, height, factor, min_pixels, max_pixels }) => sentSize({ width, height }, { multiple: factor, minPixels: min_pixels, maxPixels: max_pixels }))).toEqual(given.map(({ result: [height, width] }) => ({ width, height })));
  });

  it("is none for a strip that the models' processors refuse", () => {
    const wanted = { multiple: 28, minPixels: 1, maxPixels: 1_000_000 };
    expect(sentSize({ width: 4000, height: 20 }, wanted)).toEqual({ width: 4004, height: 28 });
    expect(() => sentSize({ width: 4001, height: 20 }, wanted)).toThrow(/at most 200 times as long as wide.*4001 × 20/);
    expect(() => sentSize({ width: 20, height: 4001 }, wanted)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });

  it("scales a large screen down into the limit and keeps its shape", () => {
    const sent = sentSize({ width: 3840, height: 2160 }, { multiple: 32, minPixels: 1, maxPixels: 1_000_000 });
    expect(sent.width * sent.height).toBeLessThanOrEqual(1_000_000);
    expect(sent.width % 32).toBe(0);
    expect(sent.height % 32).toBe(0);
    // Rounding each side down to a multiple of 32 changes the shape by at most 32 / 736.
    expect(Math.abs(sent.width / sent.height / (3840 / 2160) - 1)).toBeLessThan(0.045);
  });

  it("scales a small screen up to what the model was trained on", () => {
    const sent = sentSize({ width: 320, height: 240 }, { multiple: 32, minPixels: 640 * 480, maxPixels: 1280 * 800 });
    expect(sent).toEqual({ width: 640, height: 480 });
  });
});
