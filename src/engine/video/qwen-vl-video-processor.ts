import { join } from "node:path";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import { pathExists } from "../hub/path-exists.js";
import type { DecodedImage } from "../image/decode.js";
import { cutTemporalPatches } from "../image/qwen-vl-patches.js";
import { normalisedLevels, type ProcessedImage } from "../image/qwen-vl-processor.js";
import { resizeBicubic16 } from "../image/resize.js";
import type { PixelSize } from "../image/smart-resize.js";
import { QWEN2, QWEN3, type QwenVideoRules } from "./qwen-vl-video-rules.js";
import type { SampledVideo } from "./read.js";
import { DEFAULT_FPS, type FrameFit, type VideoSampler, type VideoSampling } from "./sampling.js";

const PIL_BICUBIC = 3;
const positiveInt = z.number().int().positive();
const perChannel = z.array(z.number()).length(3);

const schema = z.object({
  patch_size: positiveInt.optional(),
  temporal_patch_size: positiveInt.default(2),
  merge_size: positiveInt.default(2),
  min_frames: positiveInt.default(4),
  max_frames: positiveInt.default(768),
  fps: z.number().positive().nullish(),
  num_frames: z.null("a fixed number of frames is not supported").optional(),
  size: z.object({ shortest_edge: positiveInt.nullish(), longest_edge: positiveInt.nullish() }).nullish(),
  min_pixels: positiveInt.nullish(),
  max_pixels: positiveInt.nullish(),
  cap_pixels_per_frame: z.boolean().nullish(),
  max_video_tokens: positiveInt.optional(),
  do_resize: z.boolean().default(true),
  resample: z.literal(PIL_BICUBIC, "only bicubic resampling (3) is supported").default(PIL_BICUBIC),
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().positive().default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel.optional(),
  image_std: perChannel.optional(),
});

export interface ProcessedVideo extends ProcessedImage {
  /** Seconds from one temporal patch to the next. */
  secondsPerGrid: number;
  /** When each temporal patch is seen, in seconds: the middle between its first and its last frame. */
  timesS: number[];
}

/**
 * The video processors of Qwen2-VL and Qwen2.5-VL, and of Qwen3-VL and Qwen3.5: which frames, at what size, cut into patches of several
 * frames. Source: transformers' `models/qwen2_vl/video_processing_qwen2_vl.py` and `models/qwen3_vl/video_processing_qwen3_vl.py`. One frame
 * alone, which they refuse, stands for all frames of its patch.
 */
export class QwenVLVideoProcessor implements VideoSampler {
  readonly mergeSize: number;
  /** Names every setting that changes what becomes of frames, for cache keys. */
  readonly settingsKey: string;
  readonly #rules: QwenVideoRules;
  readonly #patchSize: number;
  readonly #temporalPatchSize: number;
  readonly #frames: { fps: number; min: number; max: number };
  readonly #pixels: { min: number; max: number; cap: boolean; maxTokens: number };
  readonly #resizes: boolean;
  readonly #levels: Float32Array;

  /** @param config the content of `video_preprocessor_config.json`. @throws DeskhandError `invalid_model` naming the field at fault. */
  constructor(config: unknown, generation: "qwen2" | "qwen3", what = "video_preprocessor_config.json") {
    const parsed = parseWith(schema, config, what, "invalid_model");
    const rules = generation === "qwen2" ? QWEN2 : QWEN3;
    const { patch_size = rules.patchSize, image_mean = rules.mean, image_std = rules.deviation } = parsed;
    // The older layout's top-level fields win over `size`, as in the reference; Qwen3-VL's knows `size` only.
    const older = generation === "qwen2" ? { min: parsed.min_pixels, max: parsed.max_pixels } : { min: undefined, max: undefined };
    this.#rules = rules;
    this.#patchSize = patch_size;
    this.#temporalPatchSize = parsed.temporal_patch_size;
    this.mergeSize = parsed.merge_size;
    this.#frames = { fps: parsed.fps ?? DEFAULT_FPS, min: parsed.min_frames, max: parsed.max_frames };
    this.#pixels = {
      min: older.min ?? parsed.size?.shortest_edge ?? rules.minPixels,
      max: older.max ?? parsed.size?.longest_edge ?? rules.maxPixels,
      cap: parsed.cap_pixels_per_frame ?? false,
      maxTokens: parsed.max_video_tokens ?? rules.maxTokens,
    };
    this.#resizes = parsed.do_resize;
    this.#levels = normalisedLevels({ ...parsed, image_mean, image_std });
    this.settingsKey = JSON.stringify([generation, patch_size, image_mean, image_std, parsed]);
  }

  /** Reads the `video_processor` of `processor_config.json` as transformers 5 writes it, else `video_preprocessor_config.json`, else what pictures are prepared with. */
  static async load(dir: string, generation: "qwen2" | "qwen3"): Promise<QwenVLVideoProcessor> {
    const combined = join(dir, "processor_config.json");
    if (await pathExists(combined)) {
      const { video_processor } = parseWith(z.object({ video_processor: z.unknown() }), await readJson(combined), combined, "invalid_model");
      if (video_processor !== undefined) return new QwenVLVideoProcessor(video_processor, generation, `video_processor in ${combined}`);
    }
    for (const name of ["video_preprocessor_config.json", "preprocessor_config.json"]) {
      const path = join(dir, name);
      if (await pathExists(path)) return new QwenVLVideoProcessor(await readJson(path), generation, path);
    }
    return new QwenVLVideoProcessor({}, generation);
  }

  sample(video: { frames: number; fps: number }, { fps = this.#frames.fps, maxFrames = this.#frames.max }: VideoSampling): number[] {
    const indices = this.#rules.sample(video, { fps, min: this.#frames.min, max: maxFrames, multiple: this.#temporalPatchSize });
    return indices.length === 0 ? [0] : indices;
  }

  fit(frames: number, size: PixelSize): FrameFit {
    const scaled = this.sizeFor(frames, size);
    const perTime = (scaled.widthPx * scaled.heightPx) / (this.#patchSize * this.mergeSize) ** 2;
    return { tokens: Math.ceil(frames / this.#temporalPatchSize) * perTime, scale: (frame) => resizeBicubic16(frame, scaled) };
  }

  /** The size that so many frames are seen at. @throws DeskhandError `invalid_image` for extreme aspect ratios, or sizes that do not fit when resizing is off. */
  sizeFor(frames: number, size: PixelSize): PixelSize {
    const factor = this.#patchSize * this.mergeSize;
    if (this.#resizes) return this.#rules.size(Math.max(frames, this.#temporalPatchSize), size, { factor, multiple: this.#temporalPatchSize, ...this.#pixels });
    if (size.widthPx % factor === 0 && size.heightPx % factor === 0) return { widthPx: size.widthPx, heightPx: size.heightPx };
    throw new DeskhandError("invalid_image", `This model does not resize videos (do_resize is false): expected sides that are multiples of ${factor} but received ${size.widthPx}×${size.heightPx} pixels.`);
  }

  /** Frames as `fit` scaled them, cut into patches. */
  process({ frames, indices, totalFrames, fps }: SampledVideo): ProcessedVideo {
    const { widthPx, heightPx } = frames[0] as DecodedImage;
    const [height, width] = [heightPx / this.#patchSize, widthPx / this.#patchSize];
    const size = this.#temporalPatchSize;
    const times = Math.ceil(frames.length / size);
    const timeOf = (frame: number): number => (indices[frame] ?? indices.at(-1) ?? 0) / fps;
    return {
      pixelValues: cutTemporalPatches(frames, { patchSize: this.#patchSize, temporalPatchSize: size, mergeSize: this.mergeSize }, this.#levels),
      gridThw: [times, height, width],
      mergedTokens: (times * height * width) / this.mergeSize ** 2,
      secondsPerGrid: size / ((indices.length / totalFrames) * fps),
      timesS: Array.from({ length: times }, (_, t) => (timeOf(t * size) + timeOf(t * size + size - 1)) / 2),
    };
  }
}
