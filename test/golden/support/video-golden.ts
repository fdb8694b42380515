import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { ChatMessage } from "../../../src/engine/messages.js";
import { FIXTURES, readGolden, type Golden } from "./golden.js";
import { ModelCopy } from "./model-copy.js";

export const VIDEOS = `${FIXTURES}videos/`;

/** Families whose video processors are held against transformers': the fixture with the model, whose folder here has the goldens. */
export const VIDEO_FAMILIES = ["qwen2-vl", "qwen2.5-vl", "qwen3-vl", "qwen3-5"];

export interface VideoGolden extends Golden {
  /** Of the patches every so manieth is stored. */
  patchStride: number;
}

export function readVideoGolden(family: string): VideoGolden {
  const golden = readGolden(`videos/${family}`);
  const { patch_stride: patchStride } = JSON.parse(readFileSync(`${VIDEOS}${family}/golden.json`, "utf8")) as { patch_stride: number };
  return { ...golden, cases: golden.cases.map((one) => ({ ...one, messages: one.messages.map(withPaths) })), patchStride };
}

/** The fixture's model with the settings that the goldens were made with. */
export function videoModel(family: string): ModelCopy {
  const copy = new ModelCopy(`${FIXTURES}${family}/model`);
  symlinkSync(`${VIDEOS}${family}/video_preprocessor_config.json`, join(copy.dir, "video_preprocessor_config.json"));
  return copy;
}

function withPaths(message: ChatMessage): ChatMessage {
  if (typeof message.content === "string") return message;
  return { ...message, content: message.content.map((part) => (part.type === "video" && typeof part.video === "string" ? { ...part, video: `${FIXTURES}${part.video}` } : part)) };
}
