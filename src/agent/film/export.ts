import { extname, resolve } from "node:path";
import { DeskhandError } from "../../core/errors.js";
import type { OnProgress } from "../../core/progress.js";
import { writeWhole } from "../../core/whole-file.js";
import type { StoredTrajectory } from "../replay/read-trajectory.js";
import { writeAnimation } from "./animation.js";
import { filmOf, type FilmOptions } from "./frames.js";
import { writeMp4 } from "./mp4.js";

const FORMATS = { ".gif": "gif", ".webp": "webp", ".mp4": "mp4" } as const;

export type ExportOptions = FilmOptions & {
  /** Its ending says what it becomes: `.gif`, `.webp` or `.mp4`. */
  out: string;
  signal?: AbortSignal;
  onProgress?: OnProgress;
};

/**
 * Makes a film of a recorded run, whole or not at all. What is covered on the recorded pictures is covered in it.
 * @returns its path
 * @throws DeskhandError `invalid_argument`, `dependency_missing` for an MP4 without ffmpeg, `cancelled`.
 */
export async function exportFilm(trajectory: StoredTrajectory, { out, signal, onProgress, ...options }: ExportOptions): Promise<string> {
  const format = FORMATS[extname(out).toLowerCase() as keyof typeof FORMATS];
  if (format === undefined) throw new DeskhandError("invalid_argument", `Expected a file that ends in ${Object.keys(FORMATS).join(", ")} but received ${JSON.stringify(out)}.`, { param: "out" });
  const film = filmOf(trajectory, options);
  const path = resolve(out);
  let done = 0;
  const onFrame = () => onProgress?.({ phase: "drawing", done: ++done, total: film.count, unit: "steps" });
  const write = (partial: string) => (format === "mp4" ? writeMp4(film, partial, onFrame, signal) : writeAnimation(film, format, partial, onFrame, signal));
  await writeWhole(path, write, signal);
  return path;
}
