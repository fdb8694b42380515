import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { DeskhandError, throwIfAborted } from "../core/errors.js";

/** Sent to every reader of a stream that came to its end. */
export const SSE_DONE = "data: [DONE]\n\n";

/** JSON has no raw line breaks, so one `data:` line holds any value. */
export function sseEvent(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** An event under the name of its type, as Anthropic's clients and those of OpenAI's responses read them. */
export function namedSseEvent(value: { type: string }): string {
  return `event: ${value.type}\n${sseEvent(value)}`;
}

/**
 * Writes to a client at the pace it reads. Rejects with `cancelled` when it leaves (`signal`), and with `timeout` when it takes
 * nothing for `stallTimeoutMs`.
 */
export async function writeAtReadersPace(response: ServerResponse, text: string, options: { signal: AbortSignal; stallTimeoutMs: number }): Promise<void> {
  const { signal, stallTimeoutMs } = options;
  throwIfAborted(signal);
  if (response.write(text)) return;
  const stalled = AbortSignal.timeout(stallTimeoutMs);
  try {
    await once(response, "drain", { signal: AbortSignal.any([signal, stalled]) });
  } catch (cause) {
    throwIfAborted(signal);
    if (!stalled.aborted) throw new DeskhandError("cancelled", "The client left.", { cause });
    throw new DeskhandError("timeout", `Expected the client to read its stream but it took nothing for ${stallTimeoutMs / 1000} s.`, { cause });
  }
}
