import { interleavedAxes, multiAxisRotary, positionIds } from "../../nn/mrope.js";
import { inverseFrequencies } from "../../nn/rotary.js";
import type { Prompt, PromptPlan } from "../architecture.js";
import { gridsOf } from "../qwen-vl-prompt.js";
import type { Qwen3VLTextConfig } from "./config.js";

/** The plan of a prompt with pictures and videos: consecutive positions while there are none. */
export function planImages({ tokenIds, media }: Prompt, mergeSize: number, text: Pick<Qwen3VLTextConfig, "head_dim" | "rope_theta" | "mrope_section">): PromptPlan {
  if (media.length === 0) return { rows: (start) => ({ rotary: { offset: start } }), next: tokenIds.length };
  return multiAxisRotary(positionIds(tokenIds.length, gridsOf(media), mergeSize), {
    axes: interleavedAxes(text.mrope_section, text.head_dim / 2),
    frequencies: inverseFrequencies(text.head_dim, text.rope_theta),
    factor: 1,
  });
}
