import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { CallToolResult, Tool } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { Agent } from "../../agent/agent.js";
import type { AgentOptions } from "../../agent/options.js";
import { parseWith } from "../../core/json.js";
import type { CallContext } from "./act.js";
import { jsonSchemaOf } from "./action-tools.js";

/** Everything of a run but what the call itself brings. */
export interface TaskOptions extends Omit<AgentOptions, "computer" | "display" | "monitor" | "approver" | "controller" | "signal" | "outDir" | "onEvent"> {
  maxSteps: number;
  /** Folder for the folders of the runs; `trajectories/` unless given. */
  outRoot?: string | undefined;
}

const Arguments = z.strictObject({
  task: z.string().min(1).max(20_000).describe("What to do, in words, as complete as for somebody who knows nothing of this conversation."),
  max_steps: z.number().int().min(1).optional().describe("Stop after this many steps; the server's own limit cannot be passed."),
});

const Outcome = z.object({
  success: z.boolean(),
  stop: z.string().describe("What ended it, e.g. terminate, answer, max_steps, person."),
  reason: z.string(),
  answer: z.string().optional().describe("The answer when the task was a question."),
  steps: z.number(),
  durationMs: z.number(),
  trajectoryDir: z.string().describe("Folder with every picture, what the model said and what was done; index.html shows it."),
});

export const RUN_TASK: Tool = {
  name: "run_task",
  description: "Lets the agent of this server, with a model of its own, work on a task until it is done or cannot go on. It takes minutes; progress is reported step by step, and cancelling the call stops it.",
  inputSchema: jsonSchemaOf(Arguments),
  outputSchema: jsonSchemaOf(Outcome),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
};

/** Runs the agent for a call of `run_task`; a call that is cancelled, or whose client leaves, stops it. */
export async function runTask(given: unknown, { outRoot, ...options }: TaskOptions, { desk, session, call }: CallContext): Promise<CallToolResult> {
  const { task, max_steps = options.maxSteps } = parseWith(Arguments, given ?? {}, "The call of run_task");
  const maxSteps = Math.min(max_steps, options.maxSteps);
  return desk.lend(session, call.signal, ({ computer }) =>
    session.during(call, async () => {
      const agent = new Agent({
        ...options,
        maxSteps,
        computer,
        approver: session.approver,
        outDir: outRoot === undefined ? undefined : join(outRoot, folderName()),
        onEvent: (event) => {
          if (event.type === "step_ended") void call.tell(event.line.summary ?? event.line.error ?? "a step", event.line.step, maxSteps);
        },
      });
      const { success, stop, reason, answer, steps, durationMs, trajectoryDir } = await agent.run(task, { signal: call.signal });
      const outcome = { success, stop, reason, ...(answer !== undefined && { answer }), steps, durationMs, trajectoryDir };
      const text = `${success ? "Done" : "Not done"}: ${reason}${answer === undefined ? "" : `\nAnswer: ${answer}`}\n${steps} steps, recorded in ${trajectoryDir}`;
      return { stop, reason, result: { content: [{ type: "text" as const, text }], structuredContent: outcome, ...(!success && { isError: true }) } };
    }),
  ).then(({ result }) => result);
}

/** Sorts by time; the random end keeps two of a second apart. */
function folderName(): string {
  return `${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}_${randomBytes(2).toString("hex")}`;
}
