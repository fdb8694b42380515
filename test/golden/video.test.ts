import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Session } from "../../src/engine/cache/session.js";
import { decodeImage } from "../../src/engine/image/decode.js";
import { evaluated } from "../../src/engine/mlx/index.js";
import { load, type Model } from "../../src/engine/model.js";
import type { Prompt } from "../../src/engine/models/architecture.js";
import { gridsOf, type QwenVideo } from "../../src/engine/models/qwen-vl-prompt.js";
import { positionIds } from "../../src/engine/nn/mrope.js";
import { framesByJumps, framesThrough, readFrames } from "../../src/engine/video/frames.js";
import { probeVideo } from "../../src/engine/video/probe.js";
import { QwenVLVideoProcessor } from "../../src/engine/video/qwen-vl-video-processor.js";
import { tenths } from "../../src/engine/video/qwen-vl-video-rules.js";
import { openVideo } from "../../src/engine/video/source.js";
import { loadEngine, logitsOf, promptOf, type Engine } from "./support/engine.js";
import { prefill } from "./support/generate.js";
import { relativeError } from "./support/golden.js";
import type { ModelCopy } from "./support/model-copy.js";
import { readVideoGolden, VIDEO_FAMILIES, videoModel, VIDEOS } from "./support/video-golden.js";

// Films against the frames they were encoded from, and what the families' processors and models make of them against transformers.

const FILMS = JSON.parse(readFileSync(`${VIDEOS}films.json`, "utf8")) as Record<string, { frames: number; fps: number }>;

/** float32 arithmetic in another order. */
const TOLERANCE = 1e-4;

describe.each(Object.entries(FILMS))("%s", (name, film) => {
  /** The frames as they were drawn, one below the other. */
  async function drawn(): Promise<{ rows: Uint8Array[]; widthPx: number; heightPx: number }> {
    const { data, widthPx, heightPx } = await decodeImage(readFileSync(`${VIDEOS}${name.replace(/\.\w+$/, ".png")}`));
    const bytes = data.length / film.frames;
    return { rows: Array.from({ length: film.frames }, (_, i) => data.subarray(i * bytes, (i + 1) * bytes)), widthPx, heightPx: heightPx / film.frames };
  }

  it("has the size, the number and the rate of its frames", async () => {
    const { widthPx, heightPx } = await drawn();
    const { before: _, fps, ...info } = await probeVideo(await openVideo(`${VIDEOS}${name}`));
    expect(info).toEqual({ frames: film.frames, widthPx, heightPx });
    expect(fps).toBeCloseTo(film.fps, 9);
  });

  it.each([
    ["read through", framesThrough],
    ["looked up one by one", framesByJumps],
  ])("gives its frames to the bit, %s", async (_way, frames) => {
    const input = await openVideo(`${VIDEOS}${name}`);
    const wanted = [0, 1, 4, 7, film.frames - 1];
    const seen: Uint8Array[] = [];
    for await (const { data } of frames(input, await probeVideo(input), wanted, {})) seen.push(data);
    const { rows } = await drawn();
    expect(seen.map((data, i) => Buffer.compare(data, rows[wanted[i]!]!))).toEqual(wanted.map(() => 0));
  });

  it("gives a frame twice when asked twice", async () => {
    const input = await openVideo(`${VIDEOS}${name}`);
    const seen: Uint8Array[] = [];
    for await (const { data } of readFrames(input, await probeVideo(input), [2, 2, 3])) seen.push(data);
    const { rows } = await drawn();
    expect(seen.map((data, i) => Buffer.compare(data, rows[[2, 2, 3][i]!]!))).toEqual([0, 0, 0]);
  });
});

interface Rules {
  samples: { frames: number; fps: number; wanted: number; max: number; indices: number[] }[];
  sizes: { frames: number; height: number; width: number; min: number; max: number; cap: boolean; result: [number, number] }[];
}

describe("the processors' rules", () => {
  const RULES = JSON.parse(readFileSync(`${VIDEOS}rules.json`, "utf8")) as { qwen2: Rules; qwen3: Rules; times: [number, string][] };

  it.each(["qwen2", "qwen3"] as const)("of %s: the same frames of films of any length and rate", (generation) => {
    const sampler = new QwenVLVideoProcessor({}, generation);
    for (const { frames, fps, wanted, max, indices } of RULES[generation].samples) {
      expect({ frames, fps, wanted, max, indices: sampler.sample({ frames, fps }, { fps: wanted, maxFrames: max }) }).toEqual({ frames, fps, wanted, max, indices });
    }
  });

  it.each(["qwen2", "qwen3"] as const)("of %s: the same sizes, with and without a limit of each frame", (generation) => {
    for (const { frames, height, width, min, max, cap, result } of RULES[generation].sizes) {
      const processor = new QwenVLVideoProcessor({ size: { shortest_edge: min, longest_edge: max }, cap_pixels_per_frame: cap }, generation);
      const { heightPx, widthPx } = processor.sizeFor(frames, { heightPx: height, widthPx: width });
      expect({ frames, height, width, min, max, cap, result: [heightPx, widthPx] }).toEqual({ frames, height, width, min, max, cap, result });
    }
  });

  it("write times as Python does", () => {
    expect(RULES.times.map(([seconds]) => tenths(seconds))).toEqual(RULES.times.map(([, text]) => text));
  });
});

describe.each(VIDEO_FAMILIES)("%s", (family) => {
  const golden = readVideoGolden(family);
  let folder: ModelCopy;
  let engine: Engine;
  let model: Model;

  beforeAll(async () => {
    folder = videoModel(family);
    engine = await loadEngine(folder.dir);
    model = await load(folder.dir);
  });

  afterAll(async () => {
    engine.architecture[Symbol.dispose]();
    await model.dispose();
    folder[Symbol.dispose]();
  });

  describe.each(golden.cases)("$name", (one) => {
    let prompt: Promise<Prompt> | undefined;
    /** Read once: ffmpeg takes a while to start. */
    const prepared = (): Promise<Prompt> => (prompt ??= promptOf(engine, one));

    it("renders the same prompt and the same token ids", async () => {
      expect(engine.template.render(one.messages)).toBe(one.prompt);
      expect((await prepared()).tokenIds).toEqual(one.token_ids);
    });

    it("cuts the same frames into the same patches, to the bit", async () => {
      const videos = (await prepared()).media.map(({ item }) => item as QwenVideo).filter(({ kind }) => kind === "video");
      expect(videos.flatMap(({ gridThw }) => gridThw)).toEqual(Array.from(golden.require(`${one.name}.video_grid_thw`).data));
      expect(levelsOf(videos, family, golden.patchStride)).toEqual(Array.from(golden.require(`${one.name}.pixel_values_videos_u8`).data));
      const seconds = golden.tensor(`${one.name}.second_per_grid_ts`);
      if (seconds !== undefined) expect(Float32Array.from(videos, ({ secondsPerGrid }) => secondsPerGrid)).toEqual(seconds.data);
    });

    it("stands at the same positions", async () => {
      const { tokenIds, media } = await prepared();
      const { ids, next } = positionIds(tokenIds.length, gridsOf(media, tokensPerSecond(family)), 2);
      expect(Array.from(ids)).toEqual(Array.from(golden.require(`${one.name}.position_ids`).data));
      expect(next - tokenIds.length).toBe(one.rope_delta);
    });

    it("computes the same logits", async () => {
      const rows = golden.require(`${one.name}.logit_positions`).data as Int32Array<ArrayBuffer>;
      using logits = logitsOf(engine.architecture, await prepared(), rows);
      expect(relativeError(logits.toArray(), golden.require(`${one.name}.logits`).data)).toBeLessThan(TOLERANCE);
    });

    it("answers with the same greedy tokens", async () => {
      const output = await model.chat(one.messages, { temperature: 0, repetitionPenalty: 1, maxTokens: one.greedy_token_ids.length });
      expect(output.tokenIds).toEqual(one.greedy_token_ids);
      expect(output.text).toBe(one.greedy_text);
    });
  });

  it("goes on from a cached prompt as from none", async () => {
    const prompt = await promptOf(engine, golden.cases.find(({ name }) => name === "second_turn")!);
    using session = new Session(engine.architecture.createCache());
    // In pieces that end inside the video.
    using pieces = await prefill(engine.architecture, prompt, session, { chunk: 7 });
    using again = await prefill(engine.architecture, prompt, session, {});
    using fresh = new Session(engine.architecture.createCache());
    using whole = await prefill(engine.architecture, prompt, fresh, {});
    await evaluated(pieces, again, whole);
    expect(relativeError(pieces.toArray(), whole.toArray())).toBeLessThan(1e-5);
    expect(relativeError(again.toArray(), whole.toArray())).toBeLessThan(1e-5);
  });
});

/** Patches as the levels of the pixels they were made of. */
function levelsOf(videos: readonly QwenVideo[], family: string, stride: number): number[] {
  const config = JSON.parse(readFileSync(`${VIDEOS}${family}/video_preprocessor_config.json`, "utf8")) as { image_mean?: number[]; image_std?: number[] };
  const { image_mean: mean = [0.48145466, 0.4578275, 0.40821073], image_std: deviation = [0.26862954, 0.26130258, 0.27577711] } = config;
  const patches = videos.flatMap(({ pixelValues, gridThw: [t, h, w] }) => {
    const width = pixelValues.length / (t * h * w);
    return Array.from({ length: t * h * w }, (_, i) => pixelValues.subarray(i * width, (i + 1) * width));
  });
  return patches.filter((_, i) => i % stride === 0).flatMap((patch) => Array.from(patch, (value, i) => {
    const channel = Math.floor((3 * i) / patch.length);
    return Math.abs(Math.round((value * deviation[channel]! + mean[channel]!) * 255));
  }));
}

function tokensPerSecond(family: string): number | undefined {
  return family === "qwen2.5-vl" ? 2 : undefined;
}
