import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LABEL_QUESTION } from "../../../src/agent/dialects/label-question.js";
import { message, response as responseOf } from "./replies.js";

/** What the scripted server answers to one chat completion. */
export interface ScriptedReply {
  text?: string;
  toolCalls?: { name: string; arguments: string }[];
  finishReason?: string;
  usage?: Record<string, unknown>;
  timings?: Record<string, number>;
  /** After the text, sends nothing more until the client leaves. */
  hang?: boolean;
  /** After the text, ends the stream without finishing the reply. */
  cut?: boolean;
  /** Answers with this status and body instead. */
  status?: number;
  body?: unknown;
  /** Sends this as an event in mid-stream. */
  errorEvent?: unknown;
  /** For `/v1/responses` and `/v1/messages`: the events of the whole answer. */
  events?: { type: string }[];
}

/** Replies in order, or whoever thinks of one when asked. */
export type Script = ScriptedReply[] | ((request: ChatRequestBody) => Promise<ScriptedReply>);

/** What is written where the agent is about to click; "OK" unless given. */
export type LabelScript = (request: ChatRequestBody) => ScriptedReply | Promise<ScriptedReply>;

export interface ServerOptions {
  models?: string[];
  port?: number;
  labels?: LabelScript;
}

export interface ChatRequestBody {
  model: string;
  messages: { role: string; content: unknown; tool_calls?: unknown; tool_call_id?: string }[];
  tools?: unknown[];
  stream: boolean;
  [key: string]: unknown;
}

/** An OpenAI-compatible server that says what the test tells it to, piece by piece. */
export class ScriptedServer implements AsyncDisposable {
  readonly requests: ChatRequestBody[] = [];
  /** Questions about labels, which are no steps and have a script of their own. */
  readonly readings: ChatRequestBody[] = [];
  /** Path and headers of each request. */
  readonly heads: { path: string; headers: IncomingHttpHeaders }[] = [];
  /** Resolves when a client leaves before its reply has ended. */
  readonly left: Promise<void>;
  readonly #replies: Script;
  readonly #models: string[];
  readonly #labels: LabelScript;
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  #onLeft = () => {};

  private constructor(replies: Script, { models = ["tiny"], labels = () => ({ text: "OK" }) }: ServerOptions) {
    this.#replies = replies;
    this.#models = models;
    this.#labels = labels;
    this.left = new Promise((resolve) => (this.#onLeft = resolve));
  }

  static async start(replies: Script, options: ServerOptions = {}): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(replies, options);
    scripted.#server.listen(options.port ?? 0, "127.0.0.1");
    await once(scripted.#server, "listening");
    return scripted;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === "/v1/models") return sendJson(response, 200, { object: "list", data: this.#models.map((id) => ({ id, object: "model" })) });
    const path = request.url ?? "";
    if (!["/v1/chat/completions", "/v1/responses", "/v1/messages"].includes(path)) return sendJson(response, 404, { error: { message: `no route ${request.url}` } });
    response.on("close", () => {
      if (!response.writableFinished) this.#onLeft();
    });
    const body = JSON.parse(Buffer.concat(chunks).toString()) as ChatRequestBody;
    if (isReading(body)) {
      this.readings.push(body);
      return this.#answer(response, path, inTheWordsOf(path, await this.#labels(body)));
    }
    this.heads.push({ path, headers: request.headers });
    this.requests.push(body);
    const reply = (await this.#next()) ?? { status: 500, body: { error: { message: "the script has no more replies" } } };
    return this.#answer(response, path, reply);
  }

  #answer(response: ServerResponse, path: string, reply: ScriptedReply): void {
    if (reply.status !== undefined) return sendJson(response, reply.status, reply.body);
    if (path === "/v1/chat/completions") return this.#stream(response, reply);
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of reply.events ?? []) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    response.end();
  }

  async #next(): Promise<ScriptedReply | undefined> {
    const script = this.#replies;
    return typeof script === "function" ? script(this.requests.at(-1)!).catch((error: unknown) => ({ status: 400, body: { error: { message: String(error) } } })) : script[this.requests.length - 1];
  }

  #stream(response: ServerResponse, reply: ScriptedReply): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const event = (value: unknown) => response.write(`data: ${JSON.stringify(value)}\n\n`);
    const chunk = (delta: object, rest: object = {}) =>
      event({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: null, ...rest }] });
    chunk({ role: "assistant", content: "" });
    for (const piece of (reply.text ?? "").match(/.{1,7}/gsu) ?? []) chunk({ content: piece });
    (reply.toolCalls ?? []).forEach(({ name, arguments: args }, index) => {
      chunk({ tool_calls: [{ index, id: `call-${index}`, type: "function", function: { name, arguments: "" } }] });
      for (const piece of args.match(/.{1,5}/gsu) ?? []) chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
    });
    if (reply.hang) return;
    if (reply.errorEvent) event({ error: reply.errorEvent });
    if (reply.errorEvent || reply.cut) return void response.end();
    chunk({}, { finish_reason: reply.finishReason ?? (reply.toolCalls ? "tool_calls" : "stop") });
    event({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [], usage: reply.usage ?? { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }, timings: reply.timings });
    response.end("data: [DONE]\n\n");
  }
}

/** A text as the interface has it that is asked. */
function inTheWordsOf(path: string, reply: ScriptedReply): ScriptedReply {
  if (reply.text === undefined || path === "/v1/chat/completions") return reply;
  return path === "/v1/messages" ? message({ text: reply.text }) : responseOf({ type: "message", content: [{ type: "output_text", text: reply.text }] });
}

/** In the words of the embedded model, or in those for all others. */
function isReading(body: ChatRequestBody): boolean {
  const sent = JSON.stringify(body);
  return sent.includes(JSON.stringify(LABEL_QUESTION).slice(1, -1)) || /"What text is at \[\d+, \d+\]\?"/.test(sent);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
