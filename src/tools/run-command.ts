import { CommanderError, type Command } from "commander";
import { isDeskhandError } from "../core/errors.js";

/**
 * Runs one command line and says how it went: 0 done, 1 failed, 2 bad usage. Known errors are printed by their message alone;
 * an unknown one is a mistake of ours and comes with its stack.
 * @param argv arguments without node and script
 */
export async function runCommand(command: Command, argv: readonly string[]): Promise<number> {
  throwInsteadOfExit(command);
  try {
    await command.parseAsync([...argv], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has printed its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(error);
  }
}

/** Prints what went wrong. @returns the exit code. */
export function reportError(error: unknown): number {
  const known = isDeskhandError(error);
  process.stderr.write(`error: ${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  return known && error.code === "invalid_argument" ? 2 : 1;
}

/** Subcommands made elsewhere do not inherit it. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const subcommand of command.commands) throwInsteadOfExit(subcommand);
}
