import { Command } from "commander";
import { exitCodeOf, formatChecks, type Check } from "./doctor/check.js";
import { checkDisplays, checkPrograms } from "./doctor/desktop.js";
import { checkModels } from "./doctor/model-store.js";
import { checkAddon, checkNode } from "./doctor/runtime.js";

/** `deskhand doctor`: says what works on this machine and what mends the rest; exit code 1 when something needed does not work. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check what Deskhand needs on this machine, and say what mends it")
    .option("--json", "print one line of JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const checks = await examine();
      process.stdout.write(json ? `${JSON.stringify(checks)}\n` : formatChecks(checks));
      process.exitCode = exitCodeOf(checks);
    });
}

/** Every check, one after the other: displays and processes are shared by the machine. */
export async function examine(): Promise<Check[]> {
  return [checkNode(), ...(await checkAddon()), ...(await checkDisplays()), ...(await checkPrograms()), ...(await checkModels())];
}
