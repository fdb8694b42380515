import { DeskhandError } from "../../core/errors.js";
import type { InferenceEvent } from "../../engine/inference.js";
import { answer, type Answering } from "../answering.js";
import type { Borrowed } from "../borrowed-engine.js";
import { toHttpError } from "../errors.js";
import { causeOf } from "../in-flight.js";
import type { Routes } from "../openapi/zod-types.js";
import { isUnderWay, ResponseStore } from "../response-store.js";
import { GrowingResponse, newResponse } from "../responses-answer.js";
import { inputItems, responsesToChat } from "../responses-to-chat.js";
import type { DeletedResponse, ResponseEvent, ResponseObject } from "../schemas/responses-answer.js";
import { ResponsesRequest, type InputItem } from "../schemas/responses-request.js";
import { namedSseEvent } from "../sse.js";
import { cancelDocs, createDocs, deleteDocs, retrieveDocs } from "./responses-docs.js";

/** `POST /v1/responses`, whole, streamed and in the background; asking for, deleting and cancelling responses. */
export function registerResponses(app: Routes, answering: Answering): void {
  const { inFlight, limits, metrics, models, pictures } = answering;
  const store = new ResponseStore(limits);

  app.post("/v1/responses", { schema: { body: ResponsesRequest }, config: { docs: createDocs } }, async (request, reply) => {
    const { body } = request;
    const before = body.previous_response_id == null ? [] : whatWasSaid(store, body.previous_response_id);
    const run = new Run(store, body, before);
    if (body.background) {
      refuseInBackground(body);
      const flight = inFlight.detach();
      const signal = AbortSignal.any([flight.signal, run.controller.signal]);
      try {
        // A model that is not there, or has no place, is said at once.
        const lease = await models.borrow(body.model, { task: "generate", signal });
        const { engine } = lease;
        run.begin(engine);
        request.servedModel = engine.info.id;
        const startedAt = performance.now();
        void (async () => {
          using _flight = flight;
          using _lease = lease;
          await run.inBackground(async () => {
            const chat = await responsesToChat(body, before, pictures, signal);
            await lease.turn(signal);
            await run.whole(metrics.generation(engine.info.id, (performance.now() - startedAt) / 1000, engine.generate(chat, { signal })), engine);
          });
        })().catch((error: unknown) => request.log.error({ err: causeOf(error, signal) }, "a response in the background failed"));
        return structuredClone(run.growing.response);
      } catch (error) {
        flight[Symbol.dispose]();
        throw causeOf(error, signal);
      }
    }
    return answer(answering, request, reply, {
      model: body.model,
      cancel: run.controller.signal,
      prepare: (signal) => responsesToChat(body, before, pictures, signal),
      whole: (events, engine) => run.whole(events, engine),
      stream: body.stream
        ? {
            events: async function* (events, engine) {
              for await (const event of run.streamed(events, engine)) yield namedSseEvent(event);
            },
            failure: (error) => [...run.growing.ending(error)].map(namedSseEvent).join(""),
          }
        : undefined,
    });
  });

  app.get<{ Params: { id: string } }>("/v1/responses/:id", { config: { docs: retrieveDocs } }, ({ params }): ResponseObject => store.get(params.id).response);

  app.delete<{ Params: { id: string } }>("/v1/responses/:id", { config: { docs: deleteDocs } }, ({ params: { id } }): DeletedResponse => {
    store.delete(id);
    return { id, object: "response", deleted: true };
  });

  app.post<{ Params: { id: string } }>("/v1/responses/:id/cancel", { config: { docs: cancelDocs } }, async ({ params: { id } }): Promise<ResponseObject> => {
    const stored = store.get(id);
    if (isUnderWay(stored.response)) {
      stored.controller.abort(new DeskhandError("cancelled", "The response was cancelled."));
      await stored.ended;
    }
    return stored.response;
  });
}

/** One response from its first event to its end, remembered as its request says. */
class Run {
  readonly controller = new AbortController();
  readonly #store: ResponseStore;
  readonly #body: ResponsesRequest;
  readonly #before: readonly InputItem[];
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;
  #growing: GrowingResponse | undefined;

  constructor(store: ResponseStore, body: ResponsesRequest, before: readonly InputItem[]) {
    this.#store = store;
    this.#body = body;
    this.#before = before;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
  }

  get growing(): GrowingResponse {
    if (this.#growing === undefined) throw new Error("a response was asked about before it began");
    return this.#growing;
  }

  /** From now on it can be asked for and cancelled. */
  begin({ info }: Borrowed): GrowingResponse {
    this.#growing ??= new GrowingResponse(newResponse(this.#body, info.id));
    this.#remember();
    return this.#growing;
  }

  async whole(events: AsyncIterable<InferenceEvent>, engine: Borrowed): Promise<ResponseObject> {
    const stream = this.streamed(events, engine);
    while (!(await stream.next()).done);
    return this.growing.response;
  }

  async *streamed(events: AsyncIterable<InferenceEvent>, engine: Borrowed): AsyncGenerator<ResponseEvent> {
    const growing = this.begin(engine);
    try {
      yield* growing.grow(events, engine);
    } catch (error) {
      if (!this.controller.signal.aborted) {
        growing.end("failed");
        throw error;
      }
      growing.end("cancelled");
      yield* growing.ending();
    } finally {
      // The client has left in the middle of it.
      if (isUnderWay(growing.response)) growing.end("cancelled");
      this.#settle();
    }
  }

  /** Nobody waits for the outcome: a failure is the response's own. */
  async inBackground(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { response } = this.growing;
      if (isUnderWay(response) || response.status === "failed") this.growing.end(this.controller.signal.aborted ? "cancelled" : "failed", toHttpError(error, response.id).message);
      this.#settle();
      if (!this.controller.signal.aborted) throw error;
    }
  }

  #settle(): void {
    // One that was deleted stays so.
    if (this.#store.has(this.growing.response.id)) {
      if (this.growing.response.store) this.#remember();
      else this.#store.forget(this.growing.response.id);
    }
    this.#end();
  }

  #remember(): void {
    this.#store.put({ response: this.growing.response, items: [...this.#before, ...inputItems(this.#body)], controller: this.controller, ended: this.#ended });
  }
}

/** A conversation up to the end of one of its responses. */
function whatWasSaid(store: ResponseStore, id: string): InputItem[] {
  const { items, response } = store.get(id, "previous_response_id");
  if (isUnderWay(response)) throw new DeskhandError("invalid_argument", `previous_response_id: expected a response that has ended but ${id} is ${response.status}.`, { param: "previous_response_id" });
  return [...items, ...response.output];
}

function refuseInBackground({ stream, store }: ResponsesRequest): void {
  if (stream) throw new DeskhandError("unsupported_input", "stream: a response in the background is not streamed. Ask for it with GET /v1/responses/{id}.", { param: "stream" });
  if (store === false) throw new DeskhandError("invalid_argument", "store: a response in the background has to be remembered, or nobody could ask for it.", { param: "store" });
}
