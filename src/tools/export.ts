import { Command } from "commander";
import { PACE_SECONDS, WIDTH_PX } from "../agent/film/defaults.js";
import { decimalNumber, wholeNumber } from "./arguments.js";
import { abortOnSignals } from "./interrupt.js";
import { progressPrinter } from "./run-report.js";

interface ExportFlags {
  out: string;
  pace: number;
  width: number;
}

/** `deskhand export TRAJECTORY --out run.gif`: a film of a recorded run. */
export function exportCommand(): Command {
  return new Command("export")
    .description("make a film of a recorded run: an animated GIF or WebP, or an MP4 by ffmpeg")
    .argument("<trajectory>", "the folder of a run")
    .requiredOption("--out <file>", "the file to write, ending in .gif, .webp or .mp4")
    .option("--pace <seconds>", "how long a step is shown", decimalNumber(PACE_SECONDS.least, PACE_SECONDS.most), PACE_SECONDS.default)
    .option("--width <px>", "how wide it is; the height follows", wholeNumber(WIDTH_PX.least, WIDTH_PX.most), WIDTH_PX.default)
    .action(async (path: string, { out, pace, width }: ExportFlags) => {
      using interrupt = abortOnSignals();
      const [{ readTrajectory }, { exportFilm }] = await Promise.all([import("../agent/replay/read-trajectory.js"), import("../agent/film/export.js")]);
      const trajectory = await readTrajectory(path);
      for (const note of trajectory.notes) process.stderr.write(`note: ${note}\n`);
      const { signal } = interrupt;
      process.stdout.write(`${await exportFilm(trajectory, { out, secondsPerStep: pace, widthPx: width, signal, onProgress: progressPrinter() })}\n`);
    });
}
