import { readFileSync } from "node:fs";
import { Command } from "commander";
import { z } from "zod";
import { agentCommand } from "./agent.js";
import { convertCommand } from "./convert.js";
import { doctorCommand } from "./doctor.js";
import { exportCommand } from "./export.js";
import { functionCallCommand } from "./function-call.js";
import { generateCommand } from "./generate.js";
import { mcpCommand } from "./mcp.js";
import { modelsCommand } from "./models.js";
import { replayCommand } from "./replay.js";
import { runCommand } from "./run-command.js";
import { serveCommand } from "./serve.js";
import { streamClientCommand } from "./stream-client.js";
import { transcribeCommand } from "./transcribe.js";
import { voiceCommand } from "./voice.js";
import { watchCommand } from "./watch.js";

/** The `deskhand` command with all its subcommands; each loads what it needs only when it runs. */
export function createProgram(): Command {
  const program = new Command("deskhand")
    .description("See the screen, ask a local model what to do, move the mouse and the keyboard.")
    .version(packageVersion())
    .showHelpAfterError("(--help shows how it is used)");
  for (const command of [agentCommand(), voiceCommand(), watchCommand(), mcpCommand(), replayCommand(), exportCommand(), serveCommand(), generateCommand(), streamClientCommand(), functionCallCommand(), transcribeCommand(), convertCommand(), doctorCommand(), modelsCommand()]) {
    program.addCommand(command.copyInheritedSettings(program));
  }
  return program;
}

/**
 * Runs one command line.
 * @param argv arguments without node and script
 * @returns the exit code: 0 done, 1 failed, 2 bad usage
 */
export function main(argv: readonly string[]): Promise<number> {
  // A reader that has seen enough, e.g. `| head -1`, is no failure; unheard, the event would end the process with a stack.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return runCommand(createProgram(), argv);
}

function packageVersion(): string {
  // src/tools and dist/tools are both two levels below package.json.
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
