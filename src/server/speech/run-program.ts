import { spawn } from "node:child_process";
import { once } from "node:events";

/** How much of what a program says goes into an error. */
const MAX_MESSAGE = 500;

export interface ProgramEnd {
  status: number | null;
  output: Buffer;
  /** The end of what it said on stderr. */
  message: string;
}

/** Runs a program that reads `input` from stdin, until it ends. Rejects when it cannot be started, and when the signal aborts: it is killed then. */
export async function runProgram(program: string, args: readonly string[], input: string | Buffer, signal: AbortSignal): Promise<ProgramEnd> {
  const child = spawn(program, args, { signal, killSignal: "SIGKILL", stdio: "pipe" });
  const chunks: Buffer[] = [];
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-MAX_MESSAGE)));
  // It may end before it has read everything; its status says so.
  child.stdin.on("error", () => undefined).end(input);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, output: Buffer.concat(chunks), message: said.trim() || "no message" };
}
