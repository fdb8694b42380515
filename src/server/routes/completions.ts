import type { InferenceEvent } from "../../engine/inference.js";
import { answer, type Answering } from "../answering.js";
import type { Borrowed } from "../borrowed-engine.js";
import { askedChoices, toCompletionChunks, toCompletions, type AskedChoice, type RunningChoice } from "../completions-answer.js";
import { openAiError } from "../error-forms.js";
import type { RouteDocs } from "../openapi/route-docs.js";
import type { Routes } from "../openapi/zod-types.js";
import { Completion, CompletionChunk } from "../schemas/completions-answer.js";
import { CompletionRequest } from "../schemas/completions-request.js";
import { SSE_DONE, sseEvent } from "../sse.js";

const docs: RouteDocs = {
  operationId: "createCompletion",
  summary: "Go on from a prompt as it is, as OpenAI's completions do",
  tag: "OpenAI",
  answer: Completion,
  stream: { event: CompletionChunk, description: "With `stream`: chunks, one a `data:` line, then `[DONE]`. A failure on the way is an error object, and the stream ends." },
};

/** `POST /v1/completions`, whole and streamed. */
export function registerCompletions(app: Routes, answering: Answering): void {
  app.post("/v1/completions", { schema: { body: CompletionRequest }, config: { docs } }, (request, reply) => {
    const { body } = request;
    const withLogprobs = body.logprobs != null;
    let asked: AskedChoice[] = [];
    let left: AbortSignal | undefined;
    // They take the one turn that the request has, one after the other.
    const running = (first: AsyncIterable<InferenceEvent>, engine: Borrowed): RunningChoice[] =>
      asked.map((choice, index) => ({ ...choice, events: () => (index === 0 ? first : engine.generate(choice.request, { signal: left })) }));
    return answer(answering, request, reply, {
      model: body.model,
      prepare: async (signal, engine) => {
        left = signal;
        asked = await askedChoices(body, engine);
        const [first] = asked;
        if (first === undefined) throw new Error("a request was let through that asks for nothing");
        return first.request;
      },
      whole: (events, engine) => toCompletions(engine.info.id, running(events, engine), { withLogprobs }),
      stream: body.stream
        ? {
            events: async function* (events, engine) {
              const options = { includeUsage: body.stream_options?.include_usage ?? false, withLogprobs };
              for await (const chunk of toCompletionChunks(engine.info.id, running(events, engine), options)) yield sseEvent(chunk);
              yield SSE_DONE;
            },
            failure: (error) => sseEvent(openAiError(error)),
          }
        : undefined,
    });
  });
}
