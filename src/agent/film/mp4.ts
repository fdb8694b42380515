import { spawn } from "node:child_process";
import { once } from "node:events";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { Film } from "./frames.js";

/** A screen stands still for most of the time; players want a steady rate all the same. */
const FRAMES_PER_SECOND = 10;
/** How much of what ffmpeg says is kept: its first words name the cause. */
const MAX_MESSAGE = 600;

/**
 * Writes a film as an MP4, by ffmpeg.
 * @throws DeskhandError `dependency_missing` when that is not installed, `internal` with its own words when it fails, `cancelled`.
 */
export async function writeMp4(film: Film, path: string, onFrame: () => void, signal?: AbortSignal): Promise<void> {
  const { width, height } = film.size;
  const input = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${height}`, "-r", String(FRAMES_PER_SECOND), "-i", "pipe:0"];
  // yuv420p is what every player takes; the index in front lets a browser begin before it has everything.
  const output = ["-an", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4", path];
  const ffmpeg = spawn("ffmpeg", ["-v", "error", "-y", ...input, ...output], { stdio: ["pipe", "ignore", "pipe"] });
  let failure: NodeJS.ErrnoException | undefined;
  let message = "";
  const ended = new Promise<number | null>((resolve) => {
    ffmpeg.once("error", (error) => {
      failure = error;
      resolve(null);
    });
    ffmpeg.once("close", resolve);
  });
  ffmpeg.stderr.setEncoding("utf8").on("data", (text: string) => (message = (message + text).slice(0, MAX_MESSAGE)));
  // When it ends early, its exit says why.
  ffmpeg.stdin.on("error", () => {});
  const kill = (): void => void ffmpeg.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  try {
    await Promise.race([once(ffmpeg, "spawn").catch(() => {}), ended]);
    if (failure) throw notStarted(failure);
    for await (const { pixels, ms } of film.frames()) {
      throwIfAborted(signal);
      const times = Math.max(1, Math.round((ms / 1000) * FRAMES_PER_SECOND));
      for (let time = 0; time < times && ffmpeg.stdin.writable; time++) {
        if (!ffmpeg.stdin.write(pixels)) await Promise.race([once(ffmpeg.stdin, "drain").catch(() => {}), ended]);
      }
      if (!ffmpeg.stdin.writable) break;
      onFrame();
    }
    ffmpeg.stdin.end();
    const status = await ended;
    throwIfAborted(signal);
    if (status !== 0) throw new DeskhandError("internal", `Expected ffmpeg to write the film but it ended with ${status === null ? "a signal" : `exit code ${status}`}: ${message.trim() || "it said nothing"}. Export a .gif or .webp, which needs no ffmpeg.`);
  } finally {
    signal?.removeEventListener("abort", kill);
    kill();
    await ended;
  }
}

function notStarted(cause: NodeJS.ErrnoException): DeskhandError {
  if (cause.code !== "ENOENT") return new DeskhandError("internal", `Expected to start ffmpeg but it failed: ${cause.message}.`, { cause });
  return new DeskhandError("dependency_missing", "Expected ffmpeg on the PATH, which writes MP4, but there is none. Install it (apt install ffmpeg, brew install ffmpeg), or export a .gif or .webp, which needs nothing.", { cause });
}
