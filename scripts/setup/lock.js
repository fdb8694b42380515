import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BUILD } from "./paths.js";

const POLL_MS = 200;

/**
 * Takes the set-up lock of this checkout, waiting while another living process holds it.
 * @param {{ file?: string, onWait?: (pid: number) => void }} [options]
 * @returns {Promise<() => void>} gives the lock back; safe to call twice
 */
export async function takeLock({ file = join(BUILD, "setup.lock"), onWait } = {}) {
  mkdirSync(dirname(file), { recursive: true });
  let told = false;
  for (;;) {
    try {
      const mine = create(file);
      return () => {
        if (read(file) === mine) rmSync(file, { force: true });
      };
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const { holder, isCopy } = look(file);
    if (holder !== undefined && (isCopy || !isAlive(holder))) {
      removeStale(file, holder);
      continue;
    }
    if (holder !== undefined && !told) {
      onWait?.(Number.parseInt(holder, 10));
      told = true;
    }
    await sleep(POLL_MS);
  }
}

/** @param {string} file @returns {string} what it holds: who has the lock since when, and which file this is */
function create(file) {
  const descriptor = openSync(file, "wx");
  try {
    const mine = `${process.pid} ${startTimeOf(process.pid)} ${fstatSync(descriptor).ino}`;
    writeSync(descriptor, mine);
    return mine;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * A checkout that was copied during its set-up has the lock of the other one, whose holder knows nothing of the copy. Number and text
 * are of one file, however often the lock changes hands meanwhile.
 */
function look(file) {
  let descriptor;
  try {
    descriptor = openSync(file, "r");
    const holder = readFileSync(descriptor, "utf8");
    const ino = holder.split(" ")[2];
    return { holder, isCopy: ino !== undefined && ino !== String(fstatSync(descriptor).ino) };
  } catch {
    return { holder: undefined, isCopy: false };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** By rename, so that of two processes that saw the same dead holder only one removes it, and never a new lock. */
function removeStale(file, holder) {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another one was faster
  }
  if (read(aside) === holder) rmSync(aside, { force: true });
  else renameSync(aside, file);
}

/** A pid alone can belong to a later process, above all in a container that was started anew. */
function isAlive(holder) {
  const [pid, startTime] = holder.split(" ");
  if (!/^\d+$/.test(pid)) return true; // just being written
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return error.code === "EPERM";
  }
  return startTimeOf(pid) === startTime;
}

/** Field 22 of Linux's /proc/PID/stat; elsewhere empty, which makes the pid decide alone. */
function startTimeOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  return stat === undefined ? "" : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "");
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
