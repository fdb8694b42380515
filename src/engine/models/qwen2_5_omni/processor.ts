import type { OmniSettings } from "../qwen-omni-prompt.js";
import { soundRows } from "./audio.js";
import type { Qwen25OmniConfig } from "./config.js";

/** How a prompt of this family is laid out: silence follows each sound up to the longest there may be. */
export function qwen25OmniSettings({ thinker_config: thinker }: Qwen25OmniConfig): OmniSettings {
  return {
    imageTokenId: thinker.image_token_index,
    audioTokenId: thinker.audio_token_index,
    mels: thinker.audio_config.num_mel_bins,
    soundEnd: "silence",
    rows: soundRows,
  };
}
