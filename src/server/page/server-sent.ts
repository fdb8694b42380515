/** One event of a stream of server-sent events. */
export interface ServerSentEvent {
  /** For asking again from here on. */
  id?: string;
  data: string;
}

/** A response's server-sent events, however the network cuts them. Whoever stops reading lets the server know. */
export async function* serverSentEvents(response: Response): AsyncGenerator<ServerSentEvent, void, undefined> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let id: string | undefined;
  try {
    for (;;) {
      const piece = await reader?.read();
      if (!piece || piece.done) return;
      const lines = (rest + piece.value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("id:")) id = line.slice("id:".length).trim();
        // Our servers write each event's data on one line.
        if (line.startsWith("data:")) yield { id, data: line.slice("data:".length).trim() };
      }
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}
