import { lstat, mkdir, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { createLogger } from "../../core/log.js";
import { Mutex } from "../../core/semaphore.js";

/** What names of files here begin with; everything else in the folder is left alone. */
export const OWN_NAME = "deskhand-prefix-";
const OURS = new RegExp(`^${OWN_NAME}[\\w-]+\\.safetensors(\\.\\d+-\\d+\\.part)?$`);
const PART = /\.part$/;
/** A file under way that nobody has written to for this long is what a lost process left. */
const LOST_AFTER_MS = 600_000;

export const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

interface Entry {
  name: string;
  sizeBytes: number;
  usedMs: number;
}

const log = createLogger("prefix-cache");

/**
 * A folder of files that can be made again, within a bound: those used least lately go. It may be shared by processes: what a file was used
 * last is its time of modification, files appear whole or not at all, and any may be gone at any time.
 */
export class CacheFolder {
  readonly dir: string;
  readonly maxBytes: number;
  /** Told of every file that this process removes. */
  onRemoved: ((name: string) => void) | undefined;
  readonly #turn = new Mutex();
  #parts = 0;

  private constructor(dir: string, maxBytes: number) {
    this.dir = dir;
    this.maxBytes = maxBytes;
  }

  /** @throws DeskhandError `invalid_argument` for a folder that cannot be made, or that others could read. */
  static async open(dir: string, maxBytes: number): Promise<CacheFolder> {
    const refused = (what: string, cause?: unknown): DeskhandError => new DeskhandError("invalid_argument", `Expected a folder for the prefix cache that is this user's alone but ${dir} ${what}. It will hold what models remember of conversations: name another one, or chmod 700 it.`, { param: "prefixCacheDir", cause });
    try {
      await mkdir(dir, { recursive: true, mode: PRIVATE_FOLDER });
      const info = await stat(dir);
      // Windows has no such bits: there a user's own folders are private by their place.
      if (process.getuid !== undefined && (info.uid !== process.getuid() || (info.mode & 0o077) !== 0)) throw refused(`belongs to user ${info.uid} with mode ${(info.mode & 0o777).toString(8)}`);
    } catch (cause) {
      throw cause instanceof DeskhandError ? cause : refused(`cannot be used (${messageOf(cause)})`, cause);
    }
    const folder = new CacheFolder(dir, maxBytes);
    await folder.#makeRoom(0);
    return folder;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** Names of the whole files. */
  async names(): Promise<string[]> {
    return (await readdir(this.dir)).filter((name) => OURS.test(name) && !PART.test(name));
  }

  /**
   * Has `fill` write a file and gives it its name once it is whole and on the disk.
   * @param sizeBytes about how large it gets.
   * @returns whether there was room for it.
   */
  async write(name: string, sizeBytes: number, fill: (path: string) => Promise<void>): Promise<boolean> {
    if (sizeBytes > this.maxBytes) return false;
    const part = this.path(`${name}.${process.pid}-${++this.#parts}.part`);
    try {
      await this.#makeRoom(sizeBytes);
      await fill(part);
      await this.#makeRoom(0, name);
      await rename(part, this.path(name));
      await syncFolder(this.dir);
      return true;
    } finally {
      await rm(part, { force: true });
    }
  }

  /** Notes that files have been used, the first of them last. */
  async touch(names: readonly string[]): Promise<void> {
    const now = Date.now();
    await Promise.all(names.map((name, i) => utimes(this.path(name), new Date(), new Date(now - i)).catch(() => undefined)));
  }

  /** Removes a file that is not what it should be. */
  async drop(name: string, reason: string): Promise<void> {
    log.warn({ file: this.path(name), reason }, "a file of the prefix cache is dropped");
    await this.#remove(name).catch(() => undefined);
  }

  /** Lets go of what was used least lately until `bytes` more fit. */
  async #makeRoom(bytes: number, except?: string): Promise<void> {
    const release = await this.#turn.acquire();
    try {
      const entries = await this.#entries();
      let used = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const isLost = ({ name, usedMs }: Entry): boolean => PART.test(name) && Date.now() - usedMs > LOST_AFTER_MS;
      const candidates = entries.filter((entry) => entry.name !== except && (isLost(entry) || !PART.test(entry.name)));
      for (const entry of candidates.sort((a, b) => Number(isLost(b)) - Number(isLost(a)) || a.usedMs - b.usedMs)) {
        if (!isLost(entry) && used + bytes <= this.maxBytes) return;
        await this.#remove(entry.name);
        used -= entry.sizeBytes;
      }
    } finally {
      release();
    }
  }

  async #remove(name: string): Promise<void> {
    await rm(this.path(name), { force: true });
    this.onRemoved?.(name);
  }

  async #entries(): Promise<Entry[]> {
    const names = (await readdir(this.dir)).filter((name) => OURS.test(name));
    const entries = await Promise.all(
      names.map(async (name) => {
        // Another process may have removed it meanwhile.
        const info = await lstat(this.path(name)).catch(() => undefined);
        return info?.isFile() ? [{ name, sizeBytes: info.size, usedMs: info.mtimeMs }] : [];
      }),
    );
    return entries.flat();
  }
}

/** Makes sure that a new name is on the disk; not every system does that for folders. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
