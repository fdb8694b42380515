import { partOf, type PartChoice } from "../../agent/computer/part-of-screen.js";
import { openDisplay } from "../../agent/display-choice.js";
import { planModel } from "../../agent/model-source.js";
import { readCapabilityFile } from "../../agent/safety/capability-file.js";
import type { Confirm } from "../../agent/safety/safety-kernel.js";
import { readSecret } from "../../agent/safety/secret-sources.js";
import { placeholderOf } from "../../agent/safety/secret-text.js";
import { Secrets, type SecretSource } from "../../agent/safety/secrets.js";
import { readVersions } from "../../agent/versions.js";
import { DeskhandError } from "../../core/errors.js";
import { Desk } from "./desk.js";
import type { TaskOptions } from "./run-task.js";

export interface SetupOptions {
  desktop: PartChoice & { display?: "virtual" | "current" | undefined; monitor?: string | undefined };
  safety: { confirm: Confirm; stopKeys: string; capabilities?: string | undefined; secrets: readonly string[] };
  idleMs: number;
  task: TaskOptions;
  signal: AbortSignal;
}

/**
 * A desk as the command line describes it, and what a run on it needs. Everything that can be wrong with the options shows here, before a client connects.
 * @throws DeskhandError `invalid_argument`, `unsupported_model`, and as the model's server does.
 */
export async function createDesk({ desktop, safety, idleMs, task, signal }: SetupOptions): Promise<{ desk: Desk; version: string; task: TaskOptions }> {
  const { confirm, stopKeys } = safety;
  const capabilities = safety.capabilities === undefined ? undefined : await readCapabilityFile(safety.capabilities);
  const secrets = await Secrets.load(safety.secrets.map(placeholderOf).join(" "), readSecret, signal);
  const { dialect } = await planModel(task, signal);
  const open = async (closing: AbortSignal) => {
    const opened = await openDisplay(desktop, dialect.display, closing);
    return { ...opened, computer: partOf(opened.computer, desktop) };
  };
  const desk = new Desk({ open, confirm, capabilities, secrets, stopKeys, idleMs });
  return { desk, version: (await readVersions()).deskhand, task: { ...task, confirm, capabilities, stopKeys, secretSource: onlyNamed(safety.secrets) } };
}

/** A client's model chooses the words of a task: it gets no other secrets by naming them there. */
function onlyNamed(names: readonly string[]): SecretSource {
  return async (name, signal) => {
    if (names.includes(name)) return readSecret(name, signal);
    throw new DeskhandError("invalid_argument", `Expected only secrets that this server may use (${names.join(", ") || "none"}) but the task names ${name}. A person can start it with --secret ${name}.`, { param: "task" });
  };
}
