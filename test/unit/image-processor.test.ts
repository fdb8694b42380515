import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeImage, imageContentHash, type DecodedImage } from "../../src/engine/image/decode.js";
import { QwenVLImageProcessor } from "../../src/engine/image/qwen-vl-processor.js";
import { smartResize } from "../../src/engine/image/smart-resize.js";
import { goldenJson, goldenPath, goldenTensors } from "./support/golden.js";
import levels from "./fixtures/qwen2-vl-levels.json" with { type: "json" };

interface GoldenCase {
  name: string;
  messages: { content: string | { type: string; image?: string }[] }[];
}

const HALF = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

/** Pictures of a golden conversation in order, through our decoder and the model's own processor. */
async function processAll({ messages }: GoldenCase, processor: QwenVLImageProcessor): Promise<ReturnType<QwenVLImageProcessor["process"]>[]> {
  const paths = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content.flatMap(({ image }) => (image === undefined ? [] : [image]))));
  return Promise.all(paths.map(async (path) => processor.process(await decodeImage(await readFile(goldenPath(path))))));
}

function plain(widthPx: number, heightPx: number, level = 0): DecodedImage {
  return { data: new Uint8Array(widthPx * heightPx * 3).fill(level), widthPx, heightPx };
}

describe("the Qwen-VL image processor", () => {
  it.each([
    ["qwen3-vl", 7],
    ["qwen3-vl-bf16", 4],
  ])("gives transformers' pixel values and grids for every picture of %s", async (fixture, pictures) => {
    const { cases } = await goldenJson<{ cases: GoldenCase[] }>(`${fixture}/golden.json`);
    const tensors = await goldenTensors(`${fixture}/golden.safetensors`);
    const processor = await QwenVLImageProcessor.load(goldenPath(`${fixture}/model`));
    let compared = 0;
    for (const golden of cases) {
      const expected = tensors.get(`${golden.name}.pixel_values_u8`);
      const grid = tensors.get(`${golden.name}.image_grid_thw`);
      if (!expected || !grid) continue;
      const processed = await processAll(golden, processor);
      expect(processed.flatMap(({ gridThw }) => gridThw), golden.name).toEqual([...new Int32Array(Uint8Array.from(grid.bytes).buffer)]);
      const actual = processed.flatMap(({ pixelValues }) => Array.from(pixelValues, (value) => Math.round((value + 1) * 127.5)));
      // The resampling is Pillow's own arithmetic: not one level of difference.
      expect(Buffer.compare(Uint8Array.from(actual), expected.bytes), golden.name).toBe(0);
      for (const { pixelValues, gridThw, mergedTokens } of processed) {
        expect(mergedTokens).toBe((gridThw[0] * gridThw[1] * gridThw[2]) / processor.mergeSize ** 2);
        expect(pixelValues.every((value) => value === Math.fround((Math.round((value + 1) * 127.5) - 127.5) / 127.5))).toBe(true);
      }
      compared += processed.length;
    }
    expect(compared).toBe(pictures);
  });

  it("normalises every level as transformers does with CLIP's means, which are the defaults", () => {
    const processor = new QwenVLImageProcessor({ min_pixels: 784, max_pixels: 784 });
    const data = Uint8Array.from({ length: 784 * 3 }, (_, i) => Math.floor(i / 3) % 256);
    const { pixelValues } = processor.process({ data, widthPx: 28, heightPx: 28 });
    for (let i = 0; i < 784; i++) {
      const [y, x] = [Math.floor(i / 28), i % 28];
      const patch = Math.floor(y / 14) * 2 + Math.floor(x / 14);
      for (let channel = 0; channel < 3; channel++) {
        for (const frame of [0, 1]) {
          const value = pixelValues[patch * 1176 + channel * 392 + frame * 196 + (y % 14) * 14 + (x % 14)];
          // float32 division and subtraction as torch does them: equal to the bit.
          expect(value).toBe(Math.fround(levels[channel]![i % 256]!));
        }
      }
    }
  });

  it("reads both layouts of the pixel limits, the older one first", () => {
    const limits = (config: object): [number, number] => {
      const { minPixels, maxPixels } = new QwenVLImageProcessor(config);
      return [minPixels, maxPixels];
    };
    expect(limits({})).toEqual([56 * 56, 28 * 28 * 1280]);
    expect(limits({ min_pixels: 1000, max_pixels: 2000 })).toEqual([1000, 2000]);
    expect(limits({ size: { shortest_edge: 3000, longest_edge: 4000 } })).toEqual([3000, 4000]);
    expect(limits({ min_pixels: 1000, max_pixels: 2000, size: { shortest_edge: 3000, longest_edge: 4000 } })).toEqual([1000, 2000]);
    expect(limits({ size: { min_pixels: 5000, max_pixels: 6000 } })).toEqual([5000, 6000]);
  });

  it("loads the layout of transformers 5, and says what is missing otherwise", async () => {
    const dir = await mkdtemp(join(tmpdir(), "deskhand-processor-"));
    await expect(QwenVLImageProcessor.load(dir)).rejects.toMatchObject({ code: "invalid_model", message: expect.stringContaining("preprocessor_config.json") as string });
    await writeFile(join(dir, "processor_config.json"), JSON.stringify({ image_processor: { patch_size: 16 } }));
    expect((await QwenVLImageProcessor.load(dir)).patchSize).toBe(16);
  });

  it("refuses what it would do wrong, naming the field", () => {
    const attempt = (config: object) => () => new QwenVLImageProcessor(config);
    expect(attempt({ image_processor_type: "CLIPImageProcessor" })).toThrow(/image_processor_type/);
    expect(attempt({ resample: 2 })).toThrow(/resample/);
    expect(attempt({ patch_size: 0 })).toThrow(/patch_size/);
    expect(attempt({ image_mean: [0.5] })).toThrow(/image_mean/);
  });

  it("does not resize when the model says so, and then refuses sizes that do not fit", () => {
    const processor = new QwenVLImageProcessor({ ...HALF, patch_size: 16, do_resize: false });
    expect(processor.process(plain(64, 32, 255)).gridThw).toEqual([1, 2, 4]);
    expect(() => processor.process(plain(65, 32))).toThrow(/multiples of 32/);
  });

  it("keeps flat pictures flat at any scale", () => {
    const processor = new QwenVLImageProcessor({ ...HALF, patch_size: 16, min_pixels: 1024, max_pixels: 50_000 });
    for (const [width, height] of [[20, 10], [333, 77], [640, 480], [1000, 9]] as const) {
      const { pixelValues } = processor.process(plain(width, height, 255));
      expect(pixelValues.every((value) => value === 1)).toBe(true);
    }
  });
});

describe("smartResize", () => {
  it("agrees with transformers", async () => {
    const rows = await goldenJson<{ height: number; width: number; factor: number; min_pixels: number; max_pixels: number; result: [number, number] }[]>("smart-resize.json");
    expect(rows.length).toBeGreaterThan(50);
    for (const { height, width, factor, min_pixels, max_pixels, result } of rows) {
      const size = smartResize({ widthPx: width, heightPx: height }, { factor, minPixels: min_pixels, maxPixels: max_pixels });
      expect([size.heightPx, size.widthPx], `${width}×${height}`).toEqual(result);
    }
  });

  it("rounds halves to even, as Python does", () => {
    const limits = { factor: 32, minPixels: 1, maxPixels: 1e9 };
    // 80 / 32 = 2.5 and 112 / 32 = 3.5
    expect(smartResize({ widthPx: 80, heightPx: 112 }, limits)).toEqual({ widthPx: 64, heightPx: 128 });
  });

  it("refuses ribbons", () => {
    expect(() => smartResize({ widthPx: 2010, heightPx: 10 }, { factor: 32, minPixels: 1, maxPixels: 1e9 })).toThrow(expect.objectContaining({ code: "invalid_image" }));
    expect(() => smartResize({ widthPx: 10, heightPx: 0 }, { factor: 32, minPixels: 1, maxPixels: 1e9 })).toThrow(expect.objectContaining({ code: "invalid_image" }));
  });
});

describe("imageContentHash", () => {
  it("tells pictures apart by pixels and by shape", () => {
    expect(imageContentHash(plain(4, 2))).toBe(imageContentHash(plain(4, 2)));
    expect(imageContentHash(plain(4, 2))).not.toBe(imageContentHash(plain(2, 4)));
    expect(imageContentHash(plain(4, 2))).not.toBe(imageContentHash(plain(4, 2, 1)));
  });
});
