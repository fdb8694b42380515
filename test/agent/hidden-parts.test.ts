import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import type { Screenshot } from "../../src/agent/computer/computer.js";
import { HiddenParts } from "../../src/agent/safety/hidden-parts.js";

const [WIDTH, HEIGHT] = [400, 300];
/** A line of text as an application draws it, and a caret behind it. */
let text: { data: Buffer; width: number; height: number };

beforeAll(async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="16"><rect width="90" height="16" fill="white"/><text x="1" y="12" font-size="13" font-family="sans-serif">hunter22</text></svg>';
  const { data, info } = await sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  text = { data, width: info.width, height: info.height };
});

interface Thing {
  x: number;
  y: number;
  /** Rows of the text that something else hides. */
  hiddenRows?: number;
  caret?: boolean;
  clock?: boolean;
}

function frame(thing?: Thing): Screenshot {
  const data = new Uint8Array(WIDTH * HEIGHT * 4).fill(255);
  const black = (x: number, y: number) => data.fill(0, (y * WIDTH + x) * 4, (y * WIDTH + x) * 4 + 3);
  if (!thing) return { data, widthPx: WIDTH, heightPx: HEIGHT };
  for (let row = thing.hiddenRows ?? 0; row < text.height; row++) {
    data.set(text.data.subarray(row * text.width * 4, (row + 1) * text.width * 4), ((thing.y + row) * WIDTH + thing.x) * 4);
  }
  if (thing.caret) for (let row = 0; row < text.height; row++) black(thing.x + text.width + 1, thing.y + row);
  if (thing.clock) for (let x = WIDTH - 20; x < WIDTH - 5; x++) black(x, HEIGHT - 8);
  // What an X server leaves there.
  for (let at = 3; at < data.length; at += 4) data[at] = (at * 7) % 256;
  return { data, widthPx: WIDTH, heightPx: HEIGHT };
}

const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };
const MAGENTA = [255, 0, 255];

/**
 * Covers a frame, on which the text is painted in another colour after the pixels were learnt, so that what stays open of it shows.
 * @returns how many pixels the text has, how many of them are left, and how many pixels of the frame are covered.
 */
async function cover(shot: Screenshot, hidden: HiddenParts, withShot = true): Promise<{ dark: number; open: number; covered: number }> {
  const isDark = (at: number) => shot.data[at * 4]! < 250;
  const painted = Buffer.alloc(WIDTH * HEIGHT * 3, 255);
  for (let at = 0; at < WIDTH * HEIGHT; at++) if (isDark(at)) painted.set(MAGENTA, at * 3);
  const asShown = withShot ? painted : Buffer.from(painted.map((_, at) => shot.data[Math.floor(at / 3) * 4 + (at % 3)]!));
  const png = await sharp(asShown, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).png().toBuffer();
  const pixels = await sharp(await hidden.cover(png, WHOLE, withShot ? shot : undefined)).removeAlpha().raw().toBuffer();
  let [dark, open, covered] = [0, 0, 0];
  for (let at = 0; at < WIDTH * HEIGHT; at++) {
    const isBlack = pixels[at * 3] === 0 && pixels[at * 3 + 1] === 0 && pixels[at * 3 + 2] === 0;
    dark += Number(isDark(at));
    covered += Number(isBlack);
    open += Number(isDark(at) && !isBlack);
  }
  return { dark, open, covered };
}

const TYPED: Thing = { x: 20, y: 30, caret: true };

function learnt(after: Thing = TYPED): HiddenParts {
  const marks = new HiddenParts("place");
  marks.learn(frame({ ...after, hiddenRows: 16, caret: false, clock: false }), frame(after));
  return marks;
}

describe("what a secret looked like", () => {
  it("is covered where it was typed, whatever is there later, and nothing else is", async () => {
    const marks = learnt();
    const typed = await cover(frame(TYPED), marks);
    expect(typed.dark).toBeGreaterThan(200);
    expect(typed.open).toBe(0);
    expect(typed.covered).toBeLessThan(120 * 30);
    expect((await cover(frame(), marks)).covered).toBe(typed.covered);
    expect((await cover(frame(TYPED), new HiddenParts("place"))).covered).toBe(0);
  });

  it.each([
    ["when it has moved", { x: 211, y: 173 }],
    ["when it has moved by a row, over where it was", { x: 20, y: 31 }],
    ["at the edge of the screen", { x: WIDTH - 90, y: HEIGHT - 16 }],
    ["when half of it is hidden", { x: 250, y: 100, hiddenRows: 7 }],
    ["with the caret still behind it", { x: 250, y: 100, caret: true }],
  ])("is found %s", async (_, place) => {
    const marks = learnt();
    const seen = await cover(frame(place), marks);
    expect(seen.dark).toBeGreaterThan(90);
    expect(seen.open).toBe(0);
    expect(seen.covered).toBeLessThan(3 * 120 * 30);
  });

  it("is found on a picture alone", async () => {
    const seen = await cover(frame({ x: 211, y: 173 }), learnt(), false);
    // Some of its pixels may be as black as the cover.
    expect(seen.covered).toBeGreaterThan(2 * 90 * 14);
    expect(seen.open).toBe(0);
  });

  it("does not hide all between it and a clock that ticks meanwhile", async () => {
    const marks = learnt({ ...TYPED, clock: true });
    const seen = await cover(frame({ ...TYPED, clock: true }), marks);
    expect(seen.open).toBe(0);
    expect(seen.covered).toBeLessThan(120 * 30 + 30 * 12);
  });

  it("hides everything when the screen changed its size meanwhile", async () => {
    const marks = new HiddenParts("place");
    marks.learn({ data: new Uint8Array(4), widthPx: 1, heightPx: 1 }, frame(TYPED));
    expect((await cover(frame(), marks)).covered).toBe(WIDTH * HEIGHT);
  });

  it("takes the whole screen with it where that is wanted, from then on", async () => {
    const marks = new HiddenParts("screen");
    expect((await cover(frame(TYPED), marks)).covered).toBe(0);
    marks.learn(frame(), frame(TYPED));
    expect((await cover(frame(), marks)).covered).toBe(WIDTH * HEIGHT);
  });

  it("is not seen in plain lines and areas, which are everywhere", async () => {
    const bar = (y: number): Screenshot => {
      const shot = frame();
      for (let row = y; row < y + 12; row++) shot.data.fill(0, (row * WIDTH + 50) * 4, (row * WIDTH + 150) * 4);
      return shot;
    };
    const marks = new HiddenParts("place");
    marks.learn(frame(), bar(40));
    expect((await cover(bar(200), marks)).open).toBe(100 * 12);
  });
});
