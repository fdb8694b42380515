import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "../../src/engine/image/decode.js";
import type { ImageSource } from "../../src/engine/messages.js";
import type { GenerateOptions } from "../../src/engine/model-options.js";
import { load, type Model } from "../../src/engine/model.js";
import { FIXTURES } from "./support/golden.js";
import type { ModelCopy } from "./support/model-copy.js";
import { videoModel, VIDEOS } from "./support/video-golden.js";

// Videos through the library: as videos, as pictures where the family or the template knows none, and never another's from the cache.

const FILM = `${VIDEOS}steady.mkv`;
const GREEDY = { temperature: 0, repetitionPenalty: 1, maxTokens: 8 };

/** The drawn frames of the film, of 24. */
async function drawn(indices: readonly number[]): Promise<ImageSource[]> {
  const { data, widthPx, heightPx } = await decodeImage(readFileSync(`${VIDEOS}steady.png`));
  const bytes = data.length / 24;
  return indices.map((index) => ({ data: data.slice(index * bytes, (index + 1) * bytes), widthPx, heightPx: heightPx / 24 }));
}

async function withModel<T>(dir: string, use: (model: Model) => Promise<T>): Promise<T> {
  await using model = await load(dir);
  return await use(model);
}

describe.each(["llava", "idefics3", "mistral3"])("%s, which knows pictures only", (fixture) => {
  it("sees a video as its frames in their place", async () => {
    await withModel(`${FIXTURES}${fixture}/model`, async (model) => {
      const video = await model.generate("What is it?", { ...GREEDY, videos: [FILM], videoMaxFrames: 3 });
      const pictures = await model.generate("What is it?", { ...GREEDY, images: await drawn([0, 12, 23]) });
      expect(video.tokenIds).toEqual(pictures.tokenIds);
      expect(video.promptTokens).toBe(pictures.promptTokens);
    });
  });
});

describe("qwen3-vl", () => {
  let folder: ModelCopy;
  let model: Model;
  beforeAll(async () => {
    folder = videoModel("qwen3-vl");
    model = await load(folder.dir);
  });
  afterAll(async () => {
    await model.dispose();
    folder[Symbol.dispose]();
  });

  const ask = (options: GenerateOptions) => model.generate("Describe this video.", { ...GREEDY, ...options });
  /** By a model that has seen nothing before. */
  const fresh = (options: GenerateOptions) => withModel(folder.dir, (other) => other.generate("Describe this video.", { ...GREEDY, ...options }));

  it("describes a video", async () => {
    expect((await model.describeVideo(FILM, GREEDY)).tokenIds).toEqual((await ask({ videos: [FILM] })).tokenIds);
  });

  it("takes frames as a list of pictures: the same as the film they were drawn for", async () => {
    const film = await ask({ videos: [FILM] });
    const frames = await drawn(Array.from({ length: 24 }, (_, i) => i));
    const list = await ask({ videos: [{ frames, fps: 8 }] });
    expect(list.tokenIds).toEqual(film.tokenIds);
    // After one token the cache holds the prompt alone, of which the last row runs again.
    await ask({ videos: [FILM], maxTokens: 1 });
    const { cachedTokens, promptTokens } = await ask({ videos: [{ frames, fps: 8 }], maxTokens: 1 });
    expect(cachedTokens).toBe(promptTokens - 1);
  });

  it("never takes one video for another of its size, nor one choice of frames for another, from the cache", async () => {
    const frames = await drawn([0, 5, 9, 14]);
    const [first, second] = [{ videos: [{ frames }] }, { videos: [{ frames: [...frames].reverse() }] }];
    await ask({ ...first, maxTokens: 1 });
    const { tokenIds, cachedTokens } = await ask(second);
    // Six tokens stand before the video: they begin the user's message.
    expect([tokenIds, cachedTokens]).toEqual([(await fresh(second)).tokenIds, 6]);
    await ask({ videos: [{ frames, fps: 4 }], videoFps: 4, maxTokens: 1 });
    const faster = { videos: [{ frames, fps: 8 }], videoFps: 8 };
    expect((await ask(faster)).tokenIds).toEqual((await fresh(faster)).tokenIds);
  });

  it("takes raw prompts with places for videos, and says when they do not match", async () => {
    const raw = "<|im_start|>user\n<|vision_start|><|video_pad|><|vision_end|>Describe this video.<|im_end|>\n<|im_start|>assistant\n";
    const output = await model.generate(raw, { ...GREEDY, videos: [FILM], raw: true });
    expect(output.tokenIds).toEqual((await ask({ videos: [FILM] })).tokenIds);
    await expect(model.generate("no place", { ...GREEDY, videos: [FILM], raw: true })).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringContaining("1 videos") as string });
  });

  it("sees a video as pictures where its template has no place for one", async () => {
    const copy = videoModel("qwen3-vl");
    try {
      const path = join(copy.dir, "chat_template.jinja");
      const template = readFileSync(path, "utf8").replaceAll(/'video'/g, "'nothing'");
      rmSync(path);
      writeFileSync(path, template);
      await withModel(copy.dir, async (other) => {
        const video = await other.generate("What is it?", { ...GREEDY, videos: [FILM], videoMaxFrames: 2 });
        const pictures = await other.generate("What is it?", { ...GREEDY, images: await drawn([0, 23]) });
        expect([video.tokenIds, video.promptTokens]).toEqual([pictures.tokenIds, pictures.promptTokens]);
      });
    } finally {
      copy[Symbol.dispose]();
    }
  });
});

it("is refused by a model that reads text only", async () => {
  await withModel(`${FIXTURES}qwen3/model`, async (model) => {
    await expect(model.generate("x", { videos: [FILM] })).rejects.toMatchObject({ code: "unsupported_input", message: expect.stringContaining("a video") as string });
  });
});
