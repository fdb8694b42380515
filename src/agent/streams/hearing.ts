import { messageOf } from "../../core/errors.js";
import { controlIn, toTask } from "../voice/commands.js";
import type { Segmenter } from "../voice/segmenter.js";
import type { SoundSource } from "../voice/sound-source.js";
import type { Transcribe } from "../voice/transcription.js";
import type { RecentSound } from "./recent.js";
import type { StreamWatcher } from "./stream-watcher.js";
import type { WatchEvent } from "./watch-events.js";

/** Sentences that wait to be understood. */
const MAX_WAITING = 4;

export interface HearingOptions {
  watcher: StreamWatcher;
  segmenter: Segmenter;
  /** Writes down questions; unless given, the model that watches hears them itself. */
  transcribe?: Transcribe;
  /** Keeps what is heard, for the comments of a model that hears. */
  recentSound?: RecentSound;
  onEvent?: (event: WatchEvent) => void;
  signal: AbortSignal;
}

/** What is said beside a stream is a question about it; "stop listening" ends the run. Resolves when the sound is over; a microphone that breaks off is told of, and seeing goes on. */
export async function hearQuestions(source: SoundSource, { watcher, segmenter, transcribe, recentSound, onEvent, signal }: HearingOptions): Promise<void> {
  const hear = async (speech: Int16Array): Promise<void> => {
    if (transcribe === undefined) return watcher.askAloud(speech);
    const text = await transcribe(speech, signal);
    if (text === "") return onEvent?.({ type: "noise" });
    onEvent?.({ type: "heard", text });
    if (controlIn(text) === "end") return watcher.end();
    const answered = watcher.ask(toTask(text));
    if (!source.live) await answered;
  };
  const onFailure = (error: unknown): void => {
    if (!signal.aborted) onEvent?.({ type: "deaf", message: messageOf(error) });
  };
  // One after the other; a live source is read meanwhile, since recorders lose what nobody reads.
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  const take = async (speech: Int16Array): Promise<void> => {
    if (waiting === MAX_WAITING) return onEvent?.({ type: "busy", question: "what was said last" });
    waiting += 1;
    last = last.then(() => hear(speech)).catch(onFailure).finally(() => (waiting -= 1)); // prettier-ignore
    if (!source.live) await last;
  };
  const close = (): void => void source[Symbol.asyncDispose]();
  signal.addEventListener("abort", close, { once: true });
  try {
    for await (const part of source.samples) {
      if (signal.aborted) break;
      recentSound?.push(part);
      for (const speech of segmenter.push(part)) await take(speech);
    }
    for (const speech of segmenter.end()) await take(speech);
  } catch (error) {
    onFailure(error);
  } finally {
    signal.removeEventListener("abort", close);
    await last;
  }
}
