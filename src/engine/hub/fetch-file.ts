import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { DeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";

export interface FetchFileOptions {
  /** For messages. */
  name: string;
  /** Where the whole file ends up; `path + ".incomplete"` holds what has come so far, also of earlier runs. */
  path: string;
  sizeBytes: number;
  digest: Digest;
  /** The file's bytes from an offset on. */
  read: (offset: number) => Promise<AsyncIterable<Uint8Array>>;
  /** Bytes of this file on disk. */
  onBytes: (bytes: number) => void;
  signal?: AbortSignal;
}

/** What the hub says of a file's content: SHA-256 of large files, git's object id of others. */
export type Digest = { kind: "sha256" | "git-sha1"; hex: string };

/** Tries without a single new byte before giving up. */
const MAX_BARREN_TRIES = 4;
const FIRST_DELAY_MS = 250;

/**
 * Downloads one file, going on where an earlier try stopped. The file appears under its name only when it is whole and its digest is right.
 * @throws DeskhandError `engine_unavailable` when the connection keeps failing, `invalid_model` when the content is wrong, `cancelled`.
 */
export async function fetchFile(options: FetchFileOptions): Promise<void> {
  const { name, path, sizeBytes, digest, onBytes, signal } = options;
  const partial = `${path}.incomplete`;
  let offset = (await stat(partial).catch(() => undefined))?.size ?? 0;
  if (offset > sizeBytes) {
    await rm(partial);
    offset = 0;
  }
  onBytes(offset);
  for (let barren = 0; ; ) {
    const before = offset;
    try {
      offset = await append(partial, offset, options);
      if (offset === sizeBytes) break;
      throw new Error(`the connection ended after ${offset} of ${sizeBytes} bytes`);
    } catch (cause) {
      throwIfAborted(signal);
      if (cause instanceof DeskhandError) throw cause;
      offset = (await stat(partial)).size;
      barren = offset > before ? 1 : barren + 1;
      if (barren >= MAX_BARREN_TRIES) {
        throw new DeskhandError("engine_unavailable", `Expected ${name} from the hub but the download keeps failing: ${messageOf(cause)}. What has come so far is kept: run the same command again to go on.`, { cause });
      }
      await delay(FIRST_DELAY_MS * 2 ** barren, undefined, { signal }).catch(() => throwIfAborted(signal));
    }
  }
  const actual = await digestOf(partial, sizeBytes, digest.kind, signal);
  if (actual !== digest.hex) {
    await rm(partial, { force: true });
    throw new DeskhandError("invalid_model", `Expected ${name} with ${digest.kind} ${digest.hex} but received ${actual}: the download was damaged and has been thrown away. Run the same command again.`);
  }
  await rename(partial, path);
}

/** Returns the new length of the partial file. */
async function append(partial: string, from: number, { name, sizeBytes, read, onBytes, signal }: FetchFileOptions): Promise<number> {
  await using file = await open(partial, "a");
  let offset = from;
  if (offset === sizeBytes) return offset;
  for await (const chunk of await read(offset)) {
    throwIfAborted(signal);
    if (offset + chunk.byteLength > sizeBytes) {
      await rm(partial, { force: true });
      throw new DeskhandError("invalid_model", `Expected ${sizeBytes} bytes of ${name} but the hub sends more. Run the same command again.`);
    }
    await file.writeFile(chunk);
    offset += chunk.byteLength;
    onBytes(offset);
  }
  return offset;
}

async function digestOf(path: string, sizeBytes: number, kind: Digest["kind"], signal: AbortSignal | undefined): Promise<string> {
  const hash = kind === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${sizeBytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    throwIfAborted(signal);
    hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}
