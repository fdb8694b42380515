import type { Command } from "commander";
import type { LivePage, LivePageOptions } from "../agent/live/live-page.js";
import { wholeNumber } from "./arguments.js";

/** The live page of a run, or of a session of runs. */
export interface WatchPageFlags {
  watch?: true;
  watchPort?: number;
}

export function addWatchPageOptions(command: Command): Command {
  return command
    .option("--watch", "show the run on a page of this machine: the screen, the model's words, and buttons to pause, step, approve and stop")
    .option("--watch-port <n>", "the same, on this port (a free one unless given)", wholeNumber(0, 65_535));
}

/** The page, with its address on stderr; undefined unless it was asked for. */
export async function openWatchPage({ watch, watchPort }: WatchPageFlags, options: Omit<LivePageOptions, "port"> = {}): Promise<LivePage | undefined> {
  if (!watch && watchPort === undefined) return undefined;
  const { openLivePage } = await import("../agent/live/live-page.js");
  const page = await openLivePage({ port: watchPort, ...options });
  process.stderr.write(`watch: ${page.url}\n`);
  return page;
}
