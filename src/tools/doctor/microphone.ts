import { openMicrophone } from "../../agent/voice/microphone.js";
import { isDeskhandError, messageOf } from "../../core/errors.js";
import type { Check } from "./check.js";
import { installCommand } from "./install.js";

/** Heard of before it is judged: a quarter of a second. */
const SAMPLES = 4000;
/** Sound systems complain at length. */
const MAX_FOUND = 160;
const CHECK = { id: "microphone", title: "Microphone" };

/** Records for a moment: whether there is a microphone, and whether it gives anything but zeros. */
export async function checkMicrophone(signal: AbortSignal, open: typeof openMicrophone = openMicrophone): Promise<Check[]> {
  try {
    await using source = open();
    // Ends the recording when time is over.
    signal.addEventListener("abort", () => void source[Symbol.asyncDispose](), { once: true });
    let heard = 0;
    let loudest = 0;
    for await (const samples of source.samples) {
      for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
      heard += samples.length;
      if (heard >= SAMPLES) break;
    }
    if (heard < SAMPLES) return [{ ...CHECK, status: "unknown", found: "the recording ended early" }];
    if (loudest > 0) return [{ ...CHECK, status: "ok", found: `records; loudest sample ${loudest} of 32768` }];
    return [{ ...CHECK, status: "warn", found: "records nothing but zeros: it is muted, or another one is meant", mend: process.platform === "linux" ? "pactl set-source-mute @DEFAULT_SOURCE@ 0" : "choose it in the sound settings, and unmute it" }];
  } catch (error) {
    const isMissing = isDeskhandError(error, "dependency_missing");
    const mend = isMissing ? installCommand({ apt: "alsa-utils", brew: "sox" }) : process.platform === "linux" ? "arecord -l # lists the microphones; deskhand voice --device takes one" : "plug one in, or allow your terminal the microphone";
    const found = messageOf(error);
    return [{ ...CHECK, status: "warn", found: found.length > MAX_FOUND ? `${found.slice(0, MAX_FOUND)}…` : found, mend }];
  }
}
