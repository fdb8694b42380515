import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryComputer } from "../../src/agent/computer/index.js";
import { modelToScreen, screenToModel, type CoordinateChain } from "../../src/agent/coordinates.js";
import { dialectByName, DIALECT_NAMES } from "../../src/agent/dialects/index.js";
import { observe } from "../../src/agent/observe.js";
import { sentSize } from "../../src/agent/scene.js";

const scale = fc.constantFrom(1, 1.25, 1.5, 2);
const offset = fc.integer({ min: -8000, max: 8000 });
const dialect = fc.constantFrom(...DIALECT_NAMES).map(dialectByName);
/** A display, and a place on it as parts of its sides. */
const setting = fc.record({
  width: fc.integer({ min: 200, max: 7680 }),
  height: fc.integer({ min: 200, max: 4320 }),
  x: offset,
  y: offset,
  scale,
  dialect,
  at: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
});
type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

function chainOf({ width, height, x, y, scale, dialect }: Setting): CoordinateChain {
  const captured = { width: Math.round(width * scale), height: Math.round(height * scale) };
  return { space: dialect.space, sent: sentSize(captured, dialect.pictureSize), captured, display: { x, y, width, height, scale } };
}

describe("every dialect's coordinates", () => {
  it("bring every pixel of every screen back to within one pixel, through the picture and the model's whole numbers", () => {
    fc.assert(
      fc.property(setting, (given) => {
        const chain = chainOf(given);
        const os = { x: given.x + Math.floor(given.at[0] * (given.width - 1)), y: given.y + Math.floor(given.at[1] * (given.height - 1)) };
        const exact = screenToModel(chain, os).model;
        const back = modelToScreen(chain, exact).os;
        expect(Math.abs(back.x - os.x)).toBeLessThanOrEqual(1);
        expect(Math.abs(back.y - os.y)).toBeLessThanOrEqual(1);
        // A model that counts in whole units misses by half a unit more.
        const unit = given.dialect.space.kind === "pixels" ? chain.sent : { width: given.dialect.space.max, height: given.dialect.space.max };
        if (unit.width === 1) return;
        const limit = { x: unit.width - (given.dialect.space.kind === "pixels" ? 1 : 0), y: unit.height - (given.dialect.space.kind === "pixels" ? 1 : 0) };
        const said = { x: Math.min(Math.round(exact.x), limit.x), y: Math.min(Math.round(exact.y), limit.y) };
        const there = modelToScreen(chain, said).os;
        expect(Math.abs(there.x - os.x)).toBeLessThanOrEqual(1 + given.width / unit.width);
        expect(Math.abs(there.y - os.y)).toBeLessThanOrEqual(1 + given.height / unit.height);
      }),
      { numRuns: 2000 },
    );
  });

  it("stay on the screen at every edge, and are refused one step beyond it", () => {
    fc.assert(
      fc.property(setting, (given) => {
        const chain = chainOf(given);
        const far = given.dialect.space.kind === "pixels" ? { x: chain.sent.width - 1, y: chain.sent.height - 1 } : { x: given.dialect.space.max, y: given.dialect.space.max };
        const { os } = modelToScreen(chain, far);
        expect(os.x < given.x + given.width && os.y < given.y + given.height).toBe(true);
        expect(modelToScreen(chain, { x: 0, y: 0 }).os).toEqual({ x: given.x, y: given.y });
        expect(() => modelToScreen(chain, { x: far.x + 1, y: 0 })).toThrow(/inside the screenshot/);
        expect(() => modelToScreen(chain, { x: 0, y: -1 })).toThrow(/inside the screenshot/);
      }),
      { numRuns: 500 },
    );
  });

  it("bring every pixel of an enlarged part back too", async () => {
    const part = fc.record({ dialect, scale, x: offset, y: offset, left: fc.integer({ min: 0, max: 150 }), top: fc.integer({ min: 0, max: 80 }), width: fc.integer({ min: 5, max: 50 }), height: fc.integer({ min: 5, max: 40 }), at: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })) });
    await fc.assert(
      fc.asyncProperty(part, async ({ dialect, scale, x, y, left, top, width, height, at }) => {
        const computer = new MemoryComputer({ widthPx: 200, heightPx: 120, x, y, scale });
        const region = { x: x + left, y: y + top, width, height };
        const { chain } = await observe(computer, { ...dialect, pictureSize: { multiple: 28, minPixels: 1, maxPixels: 60_000 } }, new AbortController().signal, region);
        const os = { x: region.x + Math.floor(at[0] * (width - 1)), y: region.y + Math.floor(at[1] * (height - 1)) };
        const back = modelToScreen(chain, screenToModel(chain, os).model).os;
        expect(Math.abs(back.x - os.x)).toBeLessThanOrEqual(1);
        expect(Math.abs(back.y - os.y)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });
});
