import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";

const run = promisify(execFile);

/** A keychain asks the person first, who may be slow. */
const KEYCHAIN_TIMEOUT_MS = 120_000;

/** What a system keeps secrets with, and how to put one in. */
const KEYCHAINS: Partial<Record<NodeJS.Platform, { program: string; args: (name: string) => string[]; store: (name: string) => string }>> = {
  darwin: {
    program: "security",
    args: (name) => ["find-generic-password", "-s", "deskhand", "-a", name, "-w"],
    store: (name) => `security add-generic-password -s deskhand -a ${name} -w`,
  },
  linux: {
    program: "secret-tool",
    args: (name) => ["lookup", "service", "deskhand", "name", name],
    store: (name) => `secret-tool store --label="Deskhand: ${name}" service deskhand name ${name}`,
  },
};

/**
 * A secret from `DESKHAND_SECRET_NAME`, else from the system's keychain.
 * @throws DeskhandError `invalid_argument` that says how to provide it, `cancelled`.
 */
export async function readSecret(name: string, signal: AbortSignal): Promise<string> {
  const variable = `DESKHAND_SECRET_${name}`;
  const fromEnvironment = process.env[variable];
  if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
  const keychain = KEYCHAINS[process.platform];
  const missing = (came: string, cause?: unknown) =>
    new DeskhandError("invalid_argument", `Expected the secret ${name} in the environment (${variable})${keychain ? ` or in the keychain (\`${keychain.store(name)}\`)` : ""} but ${came}.`, { cause, param: "task" });
  if (!keychain) throw missing("that variable is not set");
  try {
    const { stdout } = await run(keychain.program, keychain.args(name), { signal, timeout: KEYCHAIN_TIMEOUT_MS });
    const value = stdout.replace(/\r?\n$/, "");
    if (value !== "") return value;
  } catch (error) {
    throwIfAborted(signal);
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw missing(`that variable is not set and ${keychain.program} is not installed`);
    // What the program said stays out of the message, but for its first line of complaint.
    const complaint = (error as { stderr?: string }).stderr?.trim().split("\n")[0];
    if (complaint) throw missing(`that variable is not set and ${keychain.program} said: ${complaint}`);
  }
  throw missing("neither has it");
}
