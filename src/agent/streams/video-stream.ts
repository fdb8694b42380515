import { setTimeout as sleep } from "node:timers/promises";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import { STREAM_DEFAULTS } from "./defaults.js";
import { capture } from "./ffmpeg.js";
import { FrameSlot } from "./frame-slot.js";
import { explainEnd } from "./stream-errors.js";
import { findVideoSource, type VideoSource } from "./video-source.js";

export interface VideoStreamOptions {
  /** Most frames a second. */
  fps?: number;
  /** Longest side of a frame; larger ones are made smaller. */
  maxSidePx?: number;
  /** Without a frame for so long a stream counts as lost. */
  stallMs?: number;
  /** Tries in a row to get a lost stream back. */
  retries?: number;
  /** Told of every loss, and when pictures come again. */
  onEvent?: (event: StreamEvent) => void;
  signal?: AbortSignal;
}

export type StreamEvent = { type: "lost"; message: string; retryInMs: number } | { type: "back"; lostMs: number };

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** A camera, a stream or a file that goes on by itself. Only its newest frame is kept. */
export class VideoStream implements AsyncDisposable {
  readonly name: string;
  /** A camera or a network stream has no end; a file has. */
  readonly live: boolean;
  readonly frames = new FrameSlot();
  /** Resolves at the end of a file, or when this is disposed; rejects when the stream is lost for good. */
  readonly ended: Promise<void>;
  readonly #source: VideoSource;
  readonly #options: typeof STREAM_DEFAULTS & VideoStreamOptions;
  readonly #closing = new AbortController();
  #retries = 0;

  private constructor(source: VideoSource, options: VideoStreamOptions, onFirst: () => void) {
    this.name = source.name;
    this.live = source.kind !== "file";
    this.#source = source;
    this.#options = { ...STREAM_DEFAULTS, ...options };
    this.ended = this.#run(onFirst);
    // Whoever waits for it sees the failure.
    this.ended.catch(() => undefined);
  }

  /**
   * Opens `camera`, `camera:NAME`, an `rtsp:` or `http:` address or a file, and waits for its first frame.
   * @throws DeskhandError `dependency_missing` without ffmpeg, `stream_unavailable` when nothing can be seen there, `invalid_argument`, `cancelled`.
   */
  static async open(source: string, options: VideoStreamOptions = {}): Promise<VideoStream> {
    const { signal } = options;
    throwIfAborted(signal);
    const found = await findVideoSource(source);
    let onFirst = (): void => undefined;
    const first = new Promise<void>((resolve) => (onFirst = resolve));
    const stream = new VideoStream(found, options, onFirst);
    const close = (): void => void stream[Symbol.asyncDispose]();
    signal?.addEventListener("abort", close, { once: true });
    void stream.ended.catch(() => undefined).then(() => signal?.removeEventListener("abort", close));
    await Promise.race([first, stream.ended]);
    throwIfAborted(signal);
    if (stream.frames.received === 0) throw new DeskhandError("stream_unavailable", `Expected pictures from ${found.name} but it ended before the first one.`);
    return stream;
  }

  /** Ends ffmpeg and waits until it has gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.ended.catch(() => undefined);
  }

  async #run(onFirst: () => void): Promise<void> {
    const { fps, maxSidePx, stallMs, retries } = this.#options;
    const { signal } = this.#closing;
    let lostAt: number | undefined;
    const onFrame = (jpeg: Buffer): void => {
      this.frames.put(jpeg);
      if (lostAt !== undefined) this.#options.onEvent?.({ type: "back", lostMs: Math.round(performance.now() - lostAt) });
      lostAt = undefined;
      this.#retries = 0;
      onFirst();
    };
    for (;;) {
      const end = await capture(this.#source, { fps, maxSidePx, stallMs, onFrame, signal });
      if (signal.aborted || (!this.live && end.why === "ended")) return;
      const error = explainEnd(this.#source, end, stallMs);
      // A first try that fails shows a wrong address, and a file that breaks off stays as it is.
      if (!this.live || this.frames.received === 0) throw error;
      lostAt ??= performance.now();
      if (this.#retries === retries) throw new DeskhandError("stream_unavailable", `${error.message} It did not come back in ${retries} tries.`, { cause: error });
      const retryInMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#retries, LONGEST_PAUSE_MS);
      this.#retries += 1;
      this.#options.onEvent?.({ type: "lost", message: error.message, retryInMs });
      await sleep(retryInMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }
}
