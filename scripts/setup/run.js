import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { SetupError } from "./errors.js";

const HEAD_LINES = 10;
const TAIL_LINES = 30;

/** Children that a signal to the set-up has to end, or to wait for. */
const children = new Set();
let ending = false;

/**
 * Runs a command without a shell and resolves with what it printed; a failure carries an excerpt of its output.
 * @param {string} command
 * @param {string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {Record<string, string | undefined>} [options.env] added to the environment
 * @param {(line: string) => void} [options.onLine] called for each line of output
 * @param {string} [options.mend] what to do when it fails
 * @param {boolean} [options.uninterruptible] Ctrl-C waits for it (package managers leave a mess when killed)
 * @param {boolean} [options.tty] it may talk to the terminal, e.g. sudo asking for a password
 * @returns {Promise<string>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    if (ending) return reject(new SetupError("The set-up was interrupted."));
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.tty ? "inherit" : "ignore", "pipe", "pipe"],
      // A group of its own: we can end its grandchildren, and the terminal's Ctrl-C reaches us first.
      detached: !options.tty,
    });
    const entry = { child, uninterruptible: options.uninterruptible === true };
    children.add(entry);
    let output = "";
    let rest = "";
    const take = (chunk) => {
      output += chunk;
      const lines = (rest + chunk).split(/[\r\n]+/);
      rest = lines.pop() ?? "";
      for (const line of lines) options.onLine?.(line);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    const shown = [command, ...args].join(" ");
    child.once("error", (cause) => {
      children.delete(entry);
      reject(new SetupError(`Expected to run \`${shown}\` but received: ${cause.message}.`, { cause, mend: options.mend }));
    });
    child.once("close", (code, signal) => {
      children.delete(entry);
      if (code === 0) return resolve(output);
      const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      reject(new SetupError(`\`${shown}\` ${how}.`, { log: excerptOf(output), mend: options.mend }));
    });
  });
}

/** Ends the running children, save those that must finish, and lets no more start: what waits for them then fails. */
export function endChildren() {
  ending = true;
  for (const { child, uninterruptible } of children) {
    if (uninterruptible || child.pid === undefined) continue;
    try {
      process.kill(-child.pid, "SIGTERM");
    } catch {
      child.kill("SIGTERM"); // not the leader of a group
    }
  }
}

/** @returns {string | undefined} the full path of a command on PATH */
export function which(command, path = process.env.PATH ?? "") {
  for (const folder of path.split(delimiter)) {
    if (folder === "") continue;
    const file = join(folder, command);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/** The first and last lines of a log, blank ones dropped: some tools say first what is wrong, others last. */
export function excerptOf(text) {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  if (lines.length <= HEAD_LINES + TAIL_LINES) return lines.join("\n");
  return [...lines.slice(0, HEAD_LINES), "…", ...lines.slice(-TAIL_LINES)].join("\n");
}
