import { spawn } from "node:child_process";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";

/** How much of what ffmpeg says is kept: its first words name the cause. */
const MAX_MESSAGE = 600;

/** How long ffmpeg may be silent before it counts as stuck. */
const SILENCE_TIMEOUT_MS = 120_000;

export interface FfmpegOptions {
  signal?: AbortSignal;
  /** Longest wait for the next piece of output. */
  silenceTimeoutMs?: number;
}

export interface FfmpegEnd {
  /** Null when it was ended by a signal. */
  status: number | null;
  /** What it wrote to stderr, cut short. */
  message: string;
}

/**
 * Runs ffmpeg or ffprobe and yields its output as it comes; it waits while nobody reads. The process has ended when the generator
 * has, however it ends.
 * @throws DeskhandError `dependency_missing` when it is not installed, `timeout` when it hangs, `cancelled`.
 */
export async function* ffmpegOutput(command: "ffmpeg" | "ffprobe", args: readonly string[], { signal, silenceTimeoutMs = SILENCE_TIMEOUT_MS }: FfmpegOptions = {}): AsyncGenerator<Buffer, FfmpegEnd> {
  throwIfAborted(signal);
  const child = spawn(command, ["-v", "error", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let failure: Error | undefined;
  let message = "";
  let stuck = false;
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", (error) => (failure = error));
    child.once("close", resolve);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (message = (message + text).slice(0, MAX_MESSAGE)));
  // SIGKILL: what hangs in the network does not listen to gentler ones. Output then ends, and with it the loop.
  const kill = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  try {
    const output = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
    for (;;) {
      const timer = setTimeout(() => {
        stuck = true;
        kill();
      }, silenceTimeoutMs);
      const { value, done } = await output.next().finally(() => clearTimeout(timer));
      if (done) break;
      yield value;
    }
    const status = await ended;
    throwIfAborted(signal);
    if (stuck) throw new DeskhandError("timeout", `Expected ${command} to go on but it said nothing for ${silenceTimeoutMs / 1000} s. The file or the connection is too slow: copy the video to this machine, or ask for fewer frames.`);
    if (failure !== undefined) throw spawnError(command, failure);
    return { status, message: message.trim() };
  } finally {
    signal?.removeEventListener("abort", kill);
    kill();
    // What nobody has read would keep the process from counting as ended.
    child.stdout.destroy();
    await ended;
  }
}

function spawnError(command: string, cause: Error): DeskhandError {
  if ("code" in cause && cause.code === "ENOENT") {
    return new DeskhandError("dependency_missing", `Expected ${command} on the PATH, which reads videos, but there is none. Install ffmpeg (apt install ffmpeg, brew install ffmpeg), or give the frames as a list of pictures.`, { cause });
  }
  return new DeskhandError("internal", `Expected to start ${command} but it failed: ${cause.message}.`, { cause });
}
