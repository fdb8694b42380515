import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { OpenedComputer } from "../../src/agent/computer/index.js";
import { untilReady, type Scene } from "./scene.js";

/** An application in GTK, Qt or Tk, in a process of its own: one JSON object a line each way (training/toolkits/channel.py). */
export async function openPythonScene(toolkit: "gtk" | "qt" | "tk", opened: OpenedComputer): Promise<Scene> {
  const program = fileURLToPath(new URL(`applications/${toolkit}.py`, import.meta.url));
  // Debian's Python: the toolkits are its packages.
  const child = spawn("/usr/bin/python3", ["-B", program], { env: opened.env, stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ended = once(child, "close");
  const died = ended.then(() => Promise.reject(new Error(`The ${toolkit} application has ended: ${errors}`)));
  died.catch(() => undefined);
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  let last: Promise<unknown> = Promise.resolve();
  const ask = async (command: string, given: Record<string, unknown>): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify({ do: command, ...given })}\n`);
    const { value } = (await Promise.race([lines.next(), died])) as { value: string };
    const reply = JSON.parse(value) as { ok?: unknown; error?: string };
    if (reply.error !== undefined) throw new Error(`${toolkit}: ${command}: ${reply.error}`);
    return reply.ok;
  };
  const scene: Scene = {
    // Replies come in order: one question at a time.
    ask: (command, given = {}) => (last = last.catch(() => undefined).then(() => ask(command, given))),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
  try {
    await untilReady(scene, opened);
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
  return scene;
}
