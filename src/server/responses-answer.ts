import { randomUUID } from "node:crypto";
import type { InferenceEvent } from "../engine/inference.js";
import type { Borrowed } from "./borrowed-engine.js";
import { blockEvents, type Block, type BlockEvent, type FinishEvent } from "./answer-blocks.js";
import type { OutputItem, ResponseEvent, ResponseObject } from "./schemas/responses-answer.js";
import type { ResponsesRequest } from "./schemas/responses-request.js";

/** An event before it is numbered. */
type Unnumbered<Event = ResponseEvent> = Event extends { sequence_number: number } ? Omit<Event, "sequence_number"> : never;

/** A response that nothing has come of yet, as its request asks for it. */
export function newResponse(body: ResponsesRequest, model: string): ResponseObject {
  return {
    id: `resp_${randomUUID().replaceAll("-", "")}`,
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    status: body.background ? "queued" : "in_progress",
    background: body.background ?? false,
    error: null,
    incomplete_details: null,
    model,
    output: [],
    usage: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    reasoning: { effort: body.reasoning?.effort ?? null, summary: body.reasoning?.summary ?? null },
    store: body.store ?? true,
    temperature: body.temperature ?? null,
    text: { format: body.text?.format ?? { type: "text" } },
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_p: body.top_p ?? null,
    truncation: "disabled",
  };
}

/** Lets a response grow with the engine's events; its own events are those of a streamed answer, each with a copy of what it tells of. */
export class GrowingResponse {
  readonly response: ResponseObject;
  #sequence = 0;

  constructor(response: ResponseObject) {
    this.response = response;
  }

  /** From `response.created` to the event that ends it. */
  async *grow(events: AsyncIterable<InferenceEvent>, engine: Borrowed): AsyncGenerator<ResponseEvent> {
    this.response.status = "in_progress";
    yield this.#numbered({ type: "response.created", response: this.#copy() });
    yield this.#numbered({ type: "response.in_progress", response: this.#copy() });
    for await (const event of blockEvents(events)) {
      if (event.type === "finish") yield await this.#finish(event.finish, engine);
      else for (const own of this.#eventsOf(event)) yield this.#numbered(own);
    }
  }

  /** Ends it before its time; what it holds so far stays. */
  end(status: "cancelled" | "failed", message?: string): void {
    this.response.status = status;
    for (const item of this.response.output) if (item.status === "in_progress") item.status = "incomplete";
    if (status === "failed") this.response.error = { code: "server_error", message: message ?? "The server failed on this response." };
  }

  /** The last events of a stream whose response was ended so. */
  *ending(error?: { code: string; message: string; param?: string }): Generator<ResponseEvent> {
    if (error !== undefined) yield this.#numbered({ type: "error", code: error.code, message: error.message, param: error.param ?? null });
    yield this.#numbered({ type: error === undefined ? "response.incomplete" : "response.failed", response: this.#copy() });
  }

  #copy(): ResponseObject {
    return structuredClone(this.response);
  }

  #numbered(event: Unnumbered): ResponseEvent {
    return { ...event, sequence_number: this.#sequence++ };
  }

  async #finish({ finishReason, usage }: FinishEvent, engine: Borrowed): Promise<ResponseEvent> {
    const { response } = this;
    const isCut = finishReason === "length";
    response.status = isCut ? "incomplete" : "completed";
    if (isCut) {
      response.incomplete_details = { reason: "max_output_tokens" };
      const last = response.output.at(-1);
      if (last !== undefined) last.status = "incomplete";
    }
    const thoughts = response.output.flatMap((item) => (item.type === "reasoning" ? item.content.map(({ text }) => text) : [])).join("");
    const reasoning = thoughts === "" ? 0 : (await engine.encode({ text: thoughts })).length;
    response.usage = {
      input_tokens: usage.promptTokens,
      input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: 0 },
      output_tokens: usage.completionTokens,
      output_tokens_details: { reasoning_tokens: Math.min(reasoning, usage.completionTokens) },
      total_tokens: usage.promptTokens + usage.completionTokens,
    };
    return this.#numbered({ type: isCut ? "response.incomplete" : "response.completed", response: this.#copy() });
  }

  *#eventsOf(event: Exclude<BlockEvent, { type: "finish" }>): Generator<Unnumbered> {
    const output_index = event.index;
    if (event.type === "open") {
      const item = newItem(event.block);
      this.response.output.push(item);
      yield { type: "response.output_item.added", output_index, item: structuredClone(item) };
      // An item's part is told of on its own, and not again in the item.
      const part = openPart(item);
      if (part !== undefined) yield { type: "response.content_part.added", output_index, item_id: item.id, content_index: 0, part };
      return;
    }
    const item = this.response.output[output_index];
    if (item === undefined) throw new Error("a block went on that had not begun");
    setText(item, event.block);
    if (event.type === "delta") yield deltaOf(item, output_index, event.delta);
    else {
      item.status = "completed";
      yield* doneOf(item, output_index);
      yield { type: "response.output_item.done", output_index, item: structuredClone(item) };
    }
  }
}

function newItem(block: Block): OutputItem {
  const id = (prefix: string) => `${prefix}_${randomUUID().replaceAll("-", "")}`;
  switch (block.kind) {
    case "text":
      return { id: id("msg"), type: "message", role: "assistant", status: "in_progress", content: [] };
    case "reasoning":
      return { id: id("rs"), type: "reasoning", status: "in_progress", summary: [], content: [] };
    case "tool_call":
      return { id: id("fc"), type: "function_call", status: "in_progress", call_id: block.id, name: block.name, arguments: "" };
  }
}

type Part = Extract<ResponseEvent, { type: "response.content_part.added" | "response.content_part.done" }>["part"];

function openPart(item: OutputItem): Part | undefined {
  if (item.type === "function_call") return undefined;
  return item.type === "message" ? { type: "output_text", text: "", annotations: [], logprobs: [] } : { type: "reasoning_text", text: "" };
}

function setText(item: OutputItem, block: Block): void {
  if (item.type === "function_call") item.arguments = block.kind === "tool_call" ? block.arguments : "";
  else if (block.kind !== "tool_call" && item.type === "message") item.content = [{ type: "output_text", text: block.text, annotations: [], logprobs: [] }];
  else if (block.kind !== "tool_call" && item.type === "reasoning") item.content = [{ type: "reasoning_text", text: block.text }];
}

function deltaOf(item: OutputItem, output_index: number, delta: string): Unnumbered {
  const place = { output_index, item_id: item.id };
  if (item.type === "function_call") return { type: "response.function_call_arguments.delta", ...place, delta };
  if (item.type === "reasoning") return { type: "response.reasoning_text.delta", ...place, content_index: 0, delta };
  return { type: "response.output_text.delta", ...place, content_index: 0, delta, logprobs: [] };
}

function* doneOf(item: OutputItem, output_index: number): Generator<Unnumbered> {
  const place = { output_index, item_id: item.id };
  if (item.type === "function_call") {
    yield { type: "response.function_call_arguments.done", ...place, name: item.name, arguments: item.arguments };
    return;
  }
  const [part] = item.content;
  if (part === undefined) return;
  if (part.type === "reasoning_text") yield { type: "response.reasoning_text.done", ...place, content_index: 0, text: part.text };
  else yield { type: "response.output_text.done", ...place, content_index: 0, text: part.text, logprobs: [] };
  yield { type: "response.content_part.done", ...place, content_index: 0, part: structuredClone(part) };
}
