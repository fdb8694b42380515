import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { InferenceEvent } from "../../engine/inference.js";
import { messageOf } from "../../core/errors.js";
import { newAnswerHead, toChunks, toCompletion } from "../chat-answer.js";
import type { EngineHost } from "../engine-host.js";
import { toHttpError } from "../errors.js";
import type { GenerationQueue } from "../generation-queue.js";
import { causeOf, type InFlight } from "../in-flight.js";
import type { ServerLimits } from "../limits.js";
import type { PictureResolver } from "../pictures/resolver.js";
import type { ChatCompletionChunk } from "../schemas/chat-answer.js";
import { ChatCompletionRequest } from "../schemas/chat-request.js";
import { parseRequest } from "../schemas/parse.js";
import { rejectUnsupported } from "../schemas/unsupported.js";
import { SSE_DONE, sseEvent, writeAtReadersPace } from "../sse.js";
import { toChatRequest } from "../to-chat-request.js";

export interface ChatDependencies {
  host: EngineHost;
  queue: GenerationQueue;
  inFlight: InFlight;
  pictures: PictureResolver;
  limits: ServerLimits;
}

/** `POST /v1/chat/completions`, whole and streamed. */
export function registerChatCompletions(app: FastifyInstance, deps: ChatDependencies): void {
  const { host, queue, inFlight, pictures, limits } = deps;

  app.post("/v1/chat/completions", async (request, reply) => {
    const body = parseRequest(ChatCompletionRequest, request.body);
    rejectUnsupported(request.body);
    const engine = host.serving(body.model);
    using flight = inFlight.track(reply.raw);
    const { signal } = flight;
    try {
      using place = queue.reserve();
      const chat = await toChatRequest(body, pictures, signal);
      await place.turn(signal);
      // Until its first event a generation can still fail with a proper status.
      const events = await begin(engine.generate(chat, { signal }));
      const head = newAnswerHead(engine.info.id);
      if (!body.stream) return await toCompletion(head, events);
      const chunks = toChunks(head, events, body.stream_options?.include_usage ?? false);
      await stream(chunks, request, reply, { signal, stallTimeoutMs: limits.stallTimeoutMs });
      return reply;
    } catch (error) {
      throw causeOf(error, signal);
    }
  });
}

/** Waits for the first event and gives the events back, that one included. */
async function begin(events: AsyncIterable<InferenceEvent>): Promise<AsyncIterable<InferenceEvent>> {
  const iterator = events[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let result = first; !result.done; result = await iterator.next()) yield result.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

/** Sends the chunks as server-sent events. A failure on the way becomes an error event; nothing is thrown once the headers are out. */
async function stream(
  chunks: AsyncIterable<ChatCompletionChunk>,
  request: FastifyRequest,
  reply: FastifyReply,
  options: { signal: AbortSignal; stallTimeoutMs: number },
): Promise<void> {
  reply.header("content-type", "text/event-stream; charset=utf-8").header("cache-control", "no-cache").header("x-accel-buffering", "no");
  reply.hijack();
  const response = reply.raw;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) response.setHeader(name, value);
  }
  response.writeHead(200);
  try {
    for await (const chunk of chunks) await writeAtReadersPace(response, sseEvent(chunk), options);
    response.write(SSE_DONE);
  } catch (thrown) {
    const error = causeOf(thrown, options.signal);
    // A client that left, or takes nothing, cannot be told.
    if (response.destroyed || response.writableNeedDrain) {
      request.log.info({ reason: messageOf(error) }, "a stream was given up");
      response.destroy();
      return;
    }
    const { status, body } = toHttpError(error, request.id);
    if (status !== 503) request.log.error({ err: error }, "a stream failed");
    response.write(sseEvent(body));
  }
  response.end();
}
