import { setTimeout as sleep } from "node:timers/promises";
import { isDeskhandError, messageOf } from "../../core/errors.js";
import type { ModelClient } from "../model-client.js";
import { Bell } from "./bell.js";
import { WATCH_DEFAULTS } from "./defaults.js";
import type { FrameSlot } from "./frame-slot.js";
import { RecentFrames, type RecentSound } from "./recent.js";
import { sceneChange, sceneOf, type Scene } from "./scene.js";
import { SPOKEN_QUESTION, watchPrompt } from "./watch-prompt.js";
import type { Trigger, WatchEvent } from "./watch-events.js";

export interface StreamWatcherOptions {
  client: ModelClient;
  /** Its id on the server. */
  model: string;
  /** Where the frames come from, e.g. a `VideoStream`. */
  source: { frames: FrameSlot; ended: Promise<void> };
  /** What is asked where nobody asks anything else. */
  question?: string;
  /** Comments so often. */
  everyMs?: number;
  /** Comments when so large a part of the picture, from 0 to 1, has changed since the last one. */
  onChange?: number;
  /** Most frames of one request: the newest, and some that are a second or more older. */
  framesPerRequest?: number;
  maxTokens?: number;
  /** For models that hear: what was heard since the last request goes with the next one. */
  recentSound?: RecentSound;
  onEvent?: (event: WatchEvent) => void;
}

/** Questions that wait; more would be answered by pictures that nobody meant. */
const MAX_QUESTIONS = 4;
/** Requests in a row that may fail. */
const MAX_FAILURES = 4;
const FIRST_PAUSE_MS = 1_000;

interface Request {
  trigger: Trigger;
  question: string;
  sound?: Int16Array;
  change?: number;
  done?: () => void;
}

/** Shows a model the newest frame of a stream, whenever the scene changes, time has passed or somebody asks. */
export class StreamWatcher {
  readonly #options: typeof WATCH_DEFAULTS & StreamWatcherOptions;
  readonly #bell = new Bell();
  readonly #questions: Request[] = [];
  readonly #recent: RecentFrames;
  /** What was shown last, and when. */
  #shown: Scene | undefined;
  #shownAt: number | undefined;
  #comment: AbortController | undefined;
  #droppedBefore = 0;
  #failures = 0;
  #answered = false;
  #over = false;
  /** Somebody may still ask although no frames come any more. */
  #listeners = 0;

  constructor(options: StreamWatcherOptions) {
    this.#options = { ...WATCH_DEFAULTS, ...options };
    this.#recent = new RecentFrames(this.#options.framesPerRequest);
  }

  /** Asks about the newest frame. @returns when it has been answered, or given up. */
  ask(question: string): Promise<void> {
    return this.#enqueue({ trigger: "question", question });
  }

  /** For models that hear: the question is what was said. */
  askAloud(sound: Int16Array): Promise<void> {
    return this.#enqueue({ trigger: "speech", question: SPOKEN_QUESTION, sound });
  }

  /** Ends the run when everything asked is answered, although the stream goes on. */
  end(): void {
    this.#over = true;
    this.#bell.ring();
  }

  /** The run goes on until this has ended, even after the last frame. */
  async whileListening(listening: Promise<void>): Promise<void> {
    this.#listeners += 1;
    try {
      await listening;
    } finally {
      this.#listeners -= 1;
      this.#bell.ring();
    }
  }

  /**
   * Watches until the stream ends, `end` is called or the signal aborts.
   * @throws DeskhandError `model_server` when the first request fails, or several in a row; `stream_unavailable` when the stream is lost.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { frames, ended } = this.#options.source;
    const ring = (): void => this.#bell.ring();
    frames.onPut = () => {
      if (frames.newest) this.#recent.push(frames.newest);
      ring();
    };
    if (frames.newest) this.#recent.push(frames.newest);
    const stream = { state: "on" as "on" | "over" | "lost" };
    void ended.then(() => "over" as const, () => "lost" as const).then((now) => {
      stream.state = now;
      ring();
    });
    signal.addEventListener("abort", ring);
    const clock = this.#options.everyMs === undefined ? undefined : setInterval(ring, Math.min(this.#options.everyMs, 250));
    try {
      while (!signal.aborted) {
        const request = await this.#next();
        if (request !== undefined) await this.#serve(request, signal);
        else if (this.#over || stream.state === "lost" || (stream.state === "over" && this.#listeners === 0)) break;
        else await this.#bell.wait();
      }
    } finally {
      clearInterval(clock);
      signal.removeEventListener("abort", ring);
      frames.onPut = undefined;
      for (const { done } of this.#questions.splice(0)) done?.();
    }
    if (stream.state === "lost" && !signal.aborted) await ended;
  }

  #enqueue(request: Request): Promise<void> {
    if (this.#questions.length >= MAX_QUESTIONS) {
      this.#tell({ type: "busy", question: request.question });
      return Promise.resolve();
    }
    return new Promise((done) => {
      this.#questions.push({ ...request, done });
      this.#comment?.abort();
      this.#bell.ring();
    });
  }

  /** Questions first; then what the newest frame, or the clock, gives reason for. */
  async #next(): Promise<Request | undefined> {
    const { source, question, everyMs, onChange } = this.#options;
    if (source.frames.newest === undefined) return undefined;
    const asked = this.#questions.shift();
    if (asked !== undefined) return asked;
    if (this.#over) return undefined;
    const frame = source.frames.take();
    if (everyMs !== undefined && (frame !== undefined || this.#shownAt !== undefined) && performance.now() - (this.#shownAt ?? -Infinity) >= everyMs) return { trigger: "time", question };
    if (onChange === undefined || frame === undefined) return undefined;
    const scene = await sceneOf(frame);
    const change = this.#shown === undefined ? 1 : sceneChange(this.#shown, scene);
    return change >= onChange ? { trigger: "change", question, change } : undefined;
  }

  async #serve(request: Request, signal: AbortSignal): Promise<void> {
    try {
      await this.#answer(request, signal);
      this.#failures = 0;
      this.#answered = true;
    } catch (error) {
      if (signal.aborted) return;
      if (isDeskhandError(error, "cancelled")) return this.#tell({ type: "interrupted" });
      // A model that takes no pictures, or a wrong address, shows at once.
      if (!this.#answered || ++this.#failures >= MAX_FAILURES) throw error;
      this.#tell({ type: "failed", message: messageOf(error) });
      await sleep(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), undefined, { signal }).catch(() => undefined);
    } finally {
      request.done?.();
    }
  }

  async #answer({ trigger, question, sound, change }: Request, signal: AbortSignal): Promise<void> {
    const { client, model, source, maxTokens, recentSound } = this.#options;
    const shown = this.#recent.frames;
    const newest = shown.at(-1);
    if (newest === undefined) return;
    // It has been seen now, whether or not it had been taken.
    source.frames.take();
    this.#shownAt = performance.now();
    this.#shown = await sceneOf(newest);
    const dropped = source.frames.dropped - this.#droppedBefore;
    this.#droppedBefore = source.frames.dropped;
    const heard = recentSound?.take();
    this.#tell({ type: "asking", trigger, question });
    const comment = new AbortController();
    const stop = (): void => comment.abort();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    if (trigger === "change" || trigger === "time") this.#comment = comment;
    try {
      const reply = await client.complete(model, {
        messages: watchPrompt(shown, sound ?? heard, question),
        tools: [],
        sampling: { temperature: 0, max_tokens: maxTokens },
        signal: comment.signal,
        onText: (text) => this.#tell({ type: "words", text }),
      });
      const { text, totalMs, firstPieceMs } = reply;
      this.#tell({ type: "answer", trigger, question, text: text.trim(), frame: newest.number, frameAt: newest.at.toISOString(), ...(change !== undefined && { change: Math.round(change * 1000) / 1000 }), dropped, ms: Math.round(totalMs), firstWordMs: Math.round(firstPieceMs) });
    } finally {
      this.#comment = undefined;
      signal.removeEventListener("abort", stop);
    }
  }

  #tell(event: WatchEvent): void {
    this.#options.onEvent?.(event);
  }
}
