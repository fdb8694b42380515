import { mkdir, open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";

const POLL_MS = 300;
const HEARTBEAT_MS = 5_000;
/** A holder on another machine (a shared disk) that has not been heard of for this long is gone. */
const STALE_MS = 60_000;

/**
 * Runs `work` while this process alone holds the lock file. A lock whose process has ended is taken over.
 * @param onWait called once when someone else holds it.
 */
export async function withLock<T>(path: string, { signal, onWait }: { signal?: AbortSignal; onWait?: () => void }, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  for (let waited = false; !(await tryLock(path)); waited = true) {
    if (!waited) onWait?.();
    if (await isAbandoned(path)) await rm(path, { force: true });
    else await delay(POLL_MS, undefined, { signal }).catch(() => throwIfAborted(signal));
  }
  const heartbeat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await using file = await open(path, "wx");
    await file.writeFile(`${process.pid} ${hostname()}`);
    return true;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return false;
    throw new DeskhandError("internal", `Expected to be able to write ${path} but it failed: ${String(cause)}. Check the permissions and the free space of the model cache.`, { cause });
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const [text, info] = await Promise.all([readFile(path, "utf8").catch(() => ""), stat(path).catch(() => undefined)]);
  if (!info) return false;
  const [pid, host] = text.split(" ");
  // The file is empty for an instant between being made and being written.
  if (host === hostname() && pid) return Number(pid) !== process.pid && !isRunning(Number(pid));
  return Date.now() - info.mtimeMs > STALE_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
