import { randomBytes } from "node:crypto";
import { access, constants, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DeskhandError, messageOf, throwIfAborted } from "./errors.js";

/**
 * Writes a file whole or not at all: under another name in the same folder first, which is gone again when that fails or is aborted.
 * @param write gets the name to write to
 * @throws DeskhandError `invalid_argument` when the folder cannot be written to, `cancelled`.
 */
export async function writeWhole(path: string, write: (partial: string) => Promise<unknown>, signal?: AbortSignal): Promise<void> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new DeskhandError("invalid_argument", `Expected a folder that can be written to at ${folder} but it is not: ${messageOf(cause)}. Make it, or choose another.`, { cause, param: "out" });
  }
  const partial = join(folder, `.${basename(path)}.${randomBytes(4).toString("hex")}.part`);
  try {
    await write(partial);
    throwIfAborted(signal);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
