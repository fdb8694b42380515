import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { z } from "zod";
import { AnthropicErrorBody, ErrorBody } from "../../src/server/schemas/error.js";

/** What is wrong with an answer to a bad request; undefined when nothing is. The request may have been good after all. */
export function complaint(path: string, status: number, contentType: string | undefined, body: string): string | undefined {
  if (status >= 500) return `answered with ${status}: ${body.slice(0, 300)}`;
  if (status < 400) return undefined;
  if (!contentType?.startsWith("application/json")) return `${status} came as ${contentType}`;
  const form = path.startsWith("/v1/messages") ? AnthropicErrorBody : ErrorBody;
  try {
    const { success, error } = form.safeParse(JSON.parse(body));
    return success ? undefined : `the error's form: ${z.prettifyError(error)}, in ${body.slice(0, 300)}`;
  } catch {
    return `${status} is no JSON: ${body.slice(0, 300)}`;
  }
}

/** Bytes of live JavaScript objects, after what is dead has been collected. */
export function liveBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

/** Sockets of this process, both ends of a connection where both are its own. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10);
}
