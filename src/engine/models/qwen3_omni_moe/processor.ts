import type { OmniSettings } from "../qwen-omni-prompt.js";
import { soundRows } from "./audio.js";
import type { Qwen3OmniMoeConfig } from "./config.js";

/** How a prompt of this family is laid out: nothing follows a sound, which may be of any length. */
export function qwen3OmniSettings({ thinker_config: thinker }: Qwen3OmniMoeConfig): OmniSettings {
  const { num_mel_bins: mels, n_window } = thinker.audio_config;
  return {
    imageTokenId: thinker.image_token_id,
    audioTokenId: thinker.audio_token_id,
    mels,
    soundEnd: "mirrored",
    rows: (frames) => soundRows(frames, 2 * n_window),
  };
}
