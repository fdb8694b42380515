import { answer, type Answering } from "../answering.js";
import { newAnswerHead, toChunks, toCompletion } from "../chat-answer.js";
import { openAiError } from "../error-forms.js";
import { asksForFunctions, inTermsOfTools, withFunctionCall, withFunctionCallDeltas } from "../legacy-functions.js";
import type { RouteDocs } from "../openapi/route-docs.js";
import type { Routes } from "../openapi/zod-types.js";
import { ChatCompletion, ChatCompletionChunk } from "../schemas/chat-answer.js";
import { ChatCompletionRequest } from "../schemas/chat-request.js";
import { rejectUnsupported } from "../schemas/unsupported.js";
import { SSE_DONE, sseEvent } from "../sse.js";
import { toChatRequest } from "../to-chat-request.js";

const docs: RouteDocs = {
  operationId: "createChatCompletion",
  summary: "Answer a conversation, as OpenAI's chat completions do",
  tag: "OpenAI",
  answer: ChatCompletion,
  stream: { event: ChatCompletionChunk, description: "With `stream`: chunks, one a `data:` line, then `[DONE]`. A failure on the way is an error object, and the stream ends." },
};

/** `POST /v1/chat/completions`, whole and streamed. */
export function registerChatCompletions(app: Routes, answering: Answering): void {
  // Looks at the body before the schema drops what it does not know.
  const preValidation = async ({ body }: { body: unknown }): Promise<void> => rejectUnsupported(body);
  app.post("/v1/chat/completions", { schema: { body: ChatCompletionRequest }, config: { docs }, preValidation }, (request, reply) => {
    const { body } = request;
    const isLegacy = asksForFunctions(body);
    return answer(answering, request, reply, {
      model: body.model,
      choices: body.n ?? 1,
      prepare: (signal) => toChatRequest(inTermsOfTools(body), answering.pictures, signal),
      whole: async (events, { info }) => {
        const completion = await toCompletion(newAnswerHead(info.id), events);
        return isLegacy ? withFunctionCall(completion) : completion;
      },
      stream: body.stream
        ? {
            events: async function* (events, { info }) {
              const chunks = toChunks(newAnswerHead(info.id), events, { includeUsage: body.stream_options?.include_usage ?? false, choices: body.n ?? 1 });
              for await (const chunk of isLegacy ? withFunctionCallDeltas(chunks) : chunks) yield sseEvent(chunk);
              yield SSE_DONE;
            },
            failure: (error) => sseEvent(openAiError(error)),
          }
        : undefined,
    });
  });
}
