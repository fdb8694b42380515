import { Secrets } from "../safety/secrets.js";
import { placeholderOf } from "../safety/secret-text.js";

/** The secrets of a recorded run, by their names alone: a replay types nothing, and asks neither environment nor keychain. */
export function recordedSecrets(task: string, signal: AbortSignal): Promise<Secrets> {
  return Secrets.load(task, async (name) => placeholderOf(name), signal);
}
