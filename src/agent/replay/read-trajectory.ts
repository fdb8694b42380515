import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { ResultLine, RunLine, StepLine, TRAJECTORY_VERSION, type Trajectory } from "../recorder/records.js";
import { LINES_FILE, PAGE_FILE } from "../recorder/trajectory-folder.js";

/** Pictures are files of their own, so that even a long run has fewer bytes than this. */
const MAX_BYTES = 512 * 1024 * 1024;

const AnyRun = z.object({ type: z.literal("run"), version: z.number(), versions: z.object({ deskhand: z.string() }).optional() });
const LaterLine = z.discriminatedUnion("type", [StepLine, ResultLine]);

export interface StoredTrajectory extends Trajectory {
  dir: string;
  /** What is missing of it, for people. */
  notes: string[];
}

/**
 * Reads a recorded run. One that was killed lacks its result, and perhaps the end of its last line, which is left out; both are noted.
 * @param path its folder, or a file in it
 * @throws DeskhandError `invalid_argument` for what is no trajectory, is damaged, or is of another version.
 */
export async function readTrajectory(path: string): Promise<StoredTrajectory> {
  const dir = [LINES_FILE, PAGE_FILE].includes(basename(path)) ? dirname(resolve(path)) : resolve(path);
  const file = join(dir, LINES_FILE);
  const refuse = (came: string, advice: string, cause?: unknown) => new DeskhandError("invalid_argument", `Expected a trajectory at ${dir} but ${came}. ${advice}`, { cause, param: "trajectory" });
  const text = await readLines(file).catch((cause: unknown) => {
    throw refuse(messageOf(cause), `Give the folder of a run, which holds ${LINES_FILE}; \`deskhand agent\` prints it at its end.`, cause);
  });
  const notes: string[] = [];
  const lines = text.split("\n");
  const unfinished = lines.pop()!;
  if (unfinished !== "") {
    if (isJson(unfinished)) lines.push(unfinished);
    else notes.push(`Its last line is torn, because the process ended while it was written; that line is left out.`);
  }
  const [first, ...rest] = lines.map((line, index) => parseLine(line, index + 1, file));
  if (first === undefined) throw refuse("there is not even a first line", "The process ended before the run began: record it again.");
  const { version, versions } = parseWith(AnyRun, first, `Line 1 of ${file}`);
  if (version !== TRAJECTORY_VERSION) {
    throw refuse(`it is of version ${version}, and this Deskhand knows version ${TRAJECTORY_VERSION}`, `Use the Deskhand that made it${versions ? ` (${versions.deskhand})` : ""}, or record the run again; its ${PAGE_FILE} needs no Deskhand.`);
  }
  const run = parseWith(RunLine, first, `Line 1 of ${file}`);
  const later = rest.map((line, index) => parseWith(LaterLine, line, `Line ${index + 2} of ${file}`));
  const result = later.find((line) => line.type === "result");
  if (!result) notes.push("It has no end: the process was killed, or is still running.");
  return { dir, run, steps: later.filter((line) => line.type === "step"), result, notes };
}

async function readLines(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > MAX_BYTES) throw new Error(`its ${LINES_FILE} has ${size} bytes, and at most ${MAX_BYTES} are read`);
  return readFile(file, "utf8");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseLine(text: string, number: number, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DeskhandError("invalid_argument", `Expected JSON on line ${number} of ${file} but it cannot be read: ${messageOf(cause)}. The file was changed or damaged after the run: restore it from a copy.`, { cause, param: "trajectory" });
  }
}
