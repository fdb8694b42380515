import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "../../src/engine/image/decode.js";
import { SeenImages } from "../../src/engine/image/seen-images.js";
import { disposeAll, evaluated, memoryUse, scope } from "../../src/engine/mlx/index.js";
import { load, type Model } from "../../src/engine/model.js";
import { MemoryPlan } from "../../src/engine/generate/memory-plan.js";
import type { MediaSpan, Prompt } from "../../src/engine/models/architecture.js";
import type { QwenImage } from "../../src/engine/models/qwen-vl-prompt.js";
import { encoderBytes } from "../../src/engine/nn/encoder-shape.js";
import { tensorsOf } from "../../src/engine/cache/feature-cache.js";
import { loadEngine, type Engine } from "../golden/support/engine.js";
import { TestScheduler } from "../golden/support/generate.js";
import { FIXTURES } from "../golden/support/golden.js";

const MODEL = `${FIXTURES}qwen3-vl/model`;

async function picture(width: number, height: number, seed = 1): Promise<Buffer> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 31 * seed + (i >> 5)) % 256);
  return sharp(data, { raw: { width, height, channels: 3 } }).png().toBuffer();
}

describe("pictures that were seen before", () => {
  let engine: Engine;
  beforeAll(async () => void (engine = await loadEngine(MODEL)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  it("have the same place and key in a prompt without their pixels, and the same pixels when these are asked for", async () => {
    const bytes = await picture(90, 70);
    const seen = new SeenImages();
    const first = await seen.read(bytes, undefined);
    // The same file from elsewhere, as each request brings it.
    const again = await seen.read(Buffer.from(bytes), undefined);
    expect(first).toEqual(await decodeImage(bytes));
    expect(again).toMatchObject({ widthPx: 90, heightPx: 70, data: new Uint8Array(0) });
    const text = engine.template.render([{ role: "user", content: [{ type: "image", image: bytes }] }]);
    const prepare = (image: typeof first) => engine.processor!.prepare({ text, images: [image], encode: (part) => engine.tokenizer.encode(part) });
    const [whole, outline] = [prepare(first), prepare(again)];
    expect(outline.tokenIds).toEqual(whole.tokenIds);
    const [a, b] = [whole.media[0]!, outline.media[0]!];
    expect({ start: b.start, end: b.end, key: b.key }).toEqual({ start: a.start, end: a.end, key: a.key });
    expect({ ...b.item, pixelValues: 0 }).toEqual({ ...a.item, pixelValues: 0 });
    expect((b.item as QwenImage).pixelValues).toHaveLength(0);
    expect(b.numbers).toBe((a.item as QwenImage).pixelValues.length);
    expect(await b.whole!()).toEqual(a.item);
  });

  it("take no more memory to encode than is foretold, and not far less", async () => {
    const gridThw: [number, number, number] = [1, 40, 40];
    const { encoder } = engine.architecture;
    const numbers = 40 * 40 * encoder!.patchNumbers;
    const { activeBytes } = memoryUse();
    const features = scope(() => engine.architecture.encode!({ kind: "image", pixelValues: new Float32Array(numbers).fill(0.1), gridThw, mergedTokens: 400 } as QwenImage));
    await evaluated(...tensorsOf(features));
    const taken = memoryUse().peakBytes - activeBytes;
    disposeAll(tensorsOf(features));
    const foretold = encoderBytes(encoder!, numbers);
    expect(taken).toBeLessThanOrEqual(foretold);
    expect(taken).toBeGreaterThan(foretold / 2);
  });

  it("are refused before any work when encoding them does not fit, decoded or not", async () => {
    const { architecture } = engine;
    const { encoder, mediaTokenIds } = architecture;
    const numbers = 64 * encoder!.patchNumbers;
    const item: QwenImage = { kind: "image", pixelValues: new Float32Array(numbers), gridThw: [1, 8, 8], mergedTokens: 16 };
    const prompt = (span: Partial<MediaSpan>): Prompt => ({ tokenIds: [10, ...Array.from({ length: 16 }, () => mediaTokenIds[0]!), 11], media: [{ start: 1, end: 17, item, key: "a", ...span }] });
    const seen = { item: { ...item, pixelValues: new Float32Array(0) }, numbers, whole: () => Promise.resolve(item) };
    // All that the same prompt takes without a picture, and a little less than the picture.
    const text = new MemoryPlan(architecture, 1, 0).bytesOf({ tokenIds: prompt({}).tokenIds, media: [] });
    const run = async (span: Partial<MediaSpan>, room: number): Promise<number[]> => {
      using scheduler = new TestScheduler(architecture, { maxMemoryBytes: memoryUse().activeBytes + text + room });
      return scheduler.generate(prompt(span), { maxTokens: 2 });
    };
    for (const span of [{}, seen]) {
      await expect(run(span, encoderBytes(encoder!, numbers) - 1000)).rejects.toMatchObject({ code: "out_of_memory", message: expect.stringContaining("smaller pictures") as string });
      expect(await run(span, encoderBytes(encoder!, numbers) + 100_000)).toHaveLength(2);
    }
  });
});

describe("a model that sees pictures again", () => {
  let model: Model;
  beforeAll(async () => void (model = await load(MODEL, { prefixCacheBytes: 0, featureCacheBytes: 0 })));
  afterAll(() => model.dispose());

  it("answers the same where no cache has anything of them, also beside new ones", async () => {
    const [a, b] = [await picture(64, 64, 1), await picture(64, 64, 2)];
    const ask = async (...images: Buffer[]) => (await model.generate("What?", { images, temperature: 0, maxTokens: 4 })).tokenIds;
    const first = await ask(a);
    expect(await ask(a)).toEqual(first);
    const both = await ask(a, b);
    await using fresh = await load(MODEL);
    expect((await fresh.generate("What?", { images: [a, b], temperature: 0, maxTokens: 4 })).tokenIds).toEqual(both);
  });
});
