import type { Command } from "commander";

/** A model that plans and one that finds places, instead of one that does both. */
export interface TwoModelFlags {
  planner?: string;
  plannerUrl?: string;
  grounder?: string;
  grounderUrl?: string;
}

export function addTwoModelOptions(command: Command): Command {
  return command
    .option("--planner <model>", "instead of --model: the model that says in words what to do")
    .option("--planner-url <url>", "the server to ask it on (--base-url unless given)")
    .option("--grounder <model>", "the model that finds on the screen what the planner describes")
    .option("--grounder-url <url>", "the server to ask it on (--base-url unless given)");
}
