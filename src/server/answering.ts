import type { FastifyReply, FastifyRequest } from "fastify";
import { messageOf } from "../core/errors.js";
import type { ChatRequest, InferenceEvent } from "../engine/inference.js";
import type { Borrowed } from "./borrowed-engine.js";
import { toHttpError, type HttpError } from "./errors.js";
import type { ChoiceEvent } from "./chat-answer.js";
import { interleaved } from "./choices.js";
import { causeOf, type InFlight } from "./in-flight.js";
import type { ServerLimits } from "./limits.js";
import type { Metrics } from "./metrics.js";
import type { ModelPool } from "./model-pool.js";
import type { PictureResolver } from "./pictures/resolver.js";
import { writeAtReadersPace } from "./sse.js";

/** What every route that generates needs. */
export interface Answering {
  models: ModelPool;
  metrics: Metrics;
  inFlight: InFlight;
  pictures: PictureResolver;
  limits: ServerLimits;
}

/** How a streamed answer is written. */
export interface StreamForm {
  /** The text of the answer's server-sent events, the last included. */
  events: (events: AsyncIterable<ChoiceEvent>, engine: Borrowed) => AsyncIterable<string>;
  /** The event that tells of a failure; nothing comes after it. */
  failure: (error: HttpError) => string;
}

/** What one route makes of its request and of the engine's events. */
export interface Answer {
  /** The model asked for. */
  model: string | null | undefined;
  /** Answers to generate, each with a seed of its own. Default: one. */
  choices?: number;
  prepare: (signal: AbortSignal, engine: Borrowed) => ChatRequest | Promise<ChatRequest>;
  whole: (events: AsyncIterable<ChoiceEvent>, engine: Borrowed) => Promise<unknown>;
  /** Set when the answer is to be streamed. */
  stream: StreamForm | undefined;
  /** Ends the answer before the client leaves. */
  cancel?: AbortSignal;
}

/** Answers one request: its model, a place in that one's queue, one generation, and its events whole or streamed. It ends when the client leaves. */
export async function answer({ models, metrics, inFlight, limits }: Answering, request: FastifyRequest, reply: FastifyReply, { model, choices = 1, prepare, whole, stream, cancel }: Answer): Promise<unknown> {
  using flight = inFlight.track(reply.raw);
  const signal = cancel === undefined ? flight.signal : AbortSignal.any([flight.signal, cancel]);
  try {
    using lease = await models.borrow(model, { task: "generate", signal });
    const { engine } = lease;
    request.servedModel = engine.info.id;
    const chat = await prepare(signal, engine);
    await lease.turn(signal);
    // Until its first event a generation can still fail with a proper status.
    const one = (seed?: number): AsyncIterable<InferenceEvent> => metrics.generation(engine.info.id, reply.elapsedTime / 1000, engine.generate({ ...chat, seed }, { signal }));
    const events = await begin(choices === 1 ? one(chat.seed) : interleaved(Array.from({ length: choices }, (_, i) => one(chat.seed === undefined ? undefined : (chat.seed + i) >>> 0))));
    if (stream === undefined) return await whole(events, engine);
    await sendStream(stream.events(events, engine), request, reply, { signal, stallTimeoutMs: limits.stallTimeoutMs, failure: stream.failure });
    return reply;
  } catch (error) {
    throw causeOf(error, signal);
  }
}

/** Answers one request that needs the model but no turn of it: its tokenizer, its template. */
export async function answerCall<Result>({ models, inFlight }: Answering, reply: FastifyReply, model: string | null | undefined, call: (engine: Borrowed, signal: AbortSignal) => Promise<Result>): Promise<Result> {
  using flight = inFlight.track(reply.raw);
  const { signal } = flight;
  try {
    using lease = await models.borrow(model, { task: "generate", signal });
    return await call(lease.engine, signal);
  } catch (error) {
    throw causeOf(error, signal);
  }
}

/** Waits for the first event and gives the events back, that one included. */
export async function begin<Event>(events: AsyncIterable<Event>): Promise<AsyncIterable<Event>> {
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

interface SendOptions {
  signal: AbortSignal;
  stallTimeoutMs: number;
  failure: StreamForm["failure"];
}

/** Sends server-sent events. A failure on the way becomes an error event; nothing is thrown once the headers are out. */
export async function sendStream(events: AsyncIterable<string>, request: FastifyRequest, reply: FastifyReply, options: SendOptions): Promise<void> {
  reply.header("content-type", "text/event-stream; charset=utf-8").header("cache-control", "no-cache").header("x-accel-buffering", "no");
  reply.hijack();
  const response = reply.raw;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) response.setHeader(name, value);
  }
  response.writeHead(200);
  try {
    for await (const event of events) await writeAtReadersPace(response, event, options);
  } catch (thrown) {
    const error = causeOf(thrown, options.signal);
    // A client that left, or takes nothing, cannot be told.
    if (response.destroyed || response.writableNeedDrain) {
      request.log.info({ reason: messageOf(error) }, "a stream was given up");
      response.destroy();
      return;
    }
    const problem = toHttpError(error, request.id);
    if (problem.status !== 503) request.log.error({ err: error }, "a stream failed");
    response.write(options.failure(problem));
  }
  response.end();
}
