import { randomBytes } from "node:crypto";
import { mkdir, open, writeFile, type FileHandle } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DeskhandError, messageOf } from "../../core/errors.js";
import type { ResultLine, RunLine, StepLine, TrajectoryLine } from "./records.js";
import { LINES_FILE, writePage } from "./trajectory-folder.js";

/**
 * Writes a run's folder: `trajectory.jsonl`, which only ever grows, a line at a time, so that a killed run keeps everything up to
 * its last step; `step-001.png` and so on; and at the end `index.html`, which shows them and needs nothing else.
 * The folder is for its owner alone: screenshots and typed text are private.
 */
export class Recorder implements AsyncDisposable {
  readonly dir: string;
  readonly #file: FileHandle;
  readonly #run: RunLine;
  readonly #steps: StepLine[] = [];

  private constructor(dir: string, file: FileHandle, run: RunLine) {
    this.dir = dir;
    this.#file = file;
    this.#run = run;
  }

  /**
   * @param dir the run's own folder; made if missing. Unless given, a new one under `trajectories/` in the working directory.
   * @throws DeskhandError `invalid_argument` when it cannot be written or holds a run already.
   */
  static async create(dir: string | undefined, run: RunLine): Promise<Recorder> {
    const path = resolve(dir ?? join("trajectories", folderName(run)));
    let file: FileHandle;
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
      file = await open(join(path, LINES_FILE), "ax", 0o600);
    } catch (cause) {
      const exists = (cause as NodeJS.ErrnoException).code === "EEXIST";
      const came = exists ? "one that holds a trajectory already" : messageOf(cause);
      throw new DeskhandError("invalid_argument", `Expected a writable folder for a new trajectory at ${path} but received ${came}. Choose another with --out.`, { cause, param: "outDir" });
    }
    const recorder = new Recorder(path, file, run);
    await recorder.#append(run);
    return recorder;
  }

  /** @param name what stands in the file's name. @returns the file's name in the folder. */
  async picture(name: string, png: Buffer): Promise<string> {
    const file = `step-${name}.png`;
    await writeFile(join(this.dir, file), png, { mode: 0o600 });
    return file;
  }

  async step(line: StepLine): Promise<void> {
    this.#steps.push(line);
    await this.#append(line);
  }

  get steps(): number {
    return this.#steps.length;
  }

  /** How many of them did nothing because the screen had changed at their target. */
  get staleSteps(): number {
    return this.#steps.filter(({ stale }) => stale).length;
  }

  /** Writes the last line and the page. */
  async finish(result: ResultLine): Promise<void> {
    await this.#append(result);
    await writePage(this.dir, { run: this.#run, steps: this.#steps, result });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #append(line: TrajectoryLine): Promise<void> {
    await this.#file.appendFile(`${JSON.stringify(line)}\n`);
  }
}

/** Sorts by time; the random end keeps runs started in the same second apart. */
function folderName({ startedAt, task }: RunLine): string {
  const time = startedAt.slice(0, 19).replace("T", "_").replaceAll(":", "-");
  const words = task.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return [time, [...words].slice(0, 40).join(""), randomBytes(2).toString("hex")].filter((part) => part !== "").join("_");
}
