import { serverError, streamError } from "./problems.js";
import { serverSentEvents } from "./server-sent.js";

/** What the page asks of the server it came from. */

export interface ServedModel {
  id: string;
  state: "loaded" | "loading" | "failed" | "cached" | "available";
  /** Whether a request that names it is answered, after loading it where it has to be. */
  loadable: boolean;
  tasks?: ("generate" | "transcribe")[];
  aliases: string[];
  model_type?: string;
  vision?: boolean;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  prompt_tokens_details?: { cached_tokens: number };
}

export interface ToolCallDelta {
  index: number;
  id?: string;
  function?: { name?: string; arguments?: string };
}

export interface Chunk {
  choices: { delta: { content?: string; reasoning_content?: string; tool_calls?: ToolCallDelta[] }; finish_reason: string | null }[];
  usage?: Usage | null;
  timings?: { process_ms: number; prefill_ms: number; decode_ms: number };
}

/** The key is asked for at each request: it may have been given since the last. */
export class ChatApi {
  readonly #key: () => string;

  constructor(key: () => string) {
    this.#key = key;
  }

  async models(): Promise<ServedModel[]> {
    const response = await this.#send("v1/models", {});
    return ((await response.json()) as { data: ServedModel[] }).data;
  }

  /** The chunks of a streamed answer. @throws Problem, or an AbortError when the signal ends it. */
  async *chat(request: object, signal: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
    const body = JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } });
    const response = await this.#send("v1/chat/completions", { method: "POST", body, headers: { "content-type": "application/json" }, signal });
    for await (const data of serverSentData(response, signal)) {
      if (data === "[DONE]") return;
      const event = JSON.parse(data) as Chunk | { error: { message: string; code?: string } };
      if ("error" in event) throw streamError(event.error);
      yield event;
    }
    throw streamError();
  }

  /** What is said in a sound file. */
  async transcribe(sound: Blob, model: string, signal: AbortSignal): Promise<string> {
    const form = new FormData();
    form.set("model", model);
    form.set("file", sound, "speech.wav");
    const response = await this.#send("v1/audio/transcriptions", { method: "POST", body: form, signal });
    return ((await response.json()) as { text: string }).text.trim();
  }

  async #send(path: string, init: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
    const key = this.#key();
    const headers = { ...init.headers, ...(key !== "" && { authorization: `Bearer ${key}` }) };
    let response: Response;
    try {
      response = await fetch(path, { ...init, headers });
    } catch (error) {
      init.signal?.throwIfAborted();
      throw serverError(undefined, error);
    }
    if (!response.ok) throw serverError(response, await response.text().catch(() => ""));
    return response;
  }
}

/** What the events of an answer hold. */
async function* serverSentData(response: Response, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  try {
    for await (const { data } of serverSentEvents(response)) yield data;
  } catch (error) {
    signal.throwIfAborted();
    throw serverError(undefined, error);
  }
}
