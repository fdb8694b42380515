import { answer, answerCall, type Answering } from "../answering.js";
import { anthropicError } from "../error-forms.js";
import { toMessage, toMessageEvents } from "../messages-answer.js";
import { messagesToChat } from "../messages-to-chat.js";
import type { RouteDocs } from "../openapi/route-docs.js";
import type { Routes } from "../openapi/zod-types.js";
import { Message, MessageEvent, TokenCount } from "../schemas/messages-answer.js";
import { CountTokensRequest, MessagesRequest } from "../schemas/messages-request.js";
import { namedSseEvent } from "../sse.js";

const tag = "Anthropic";
const messageDocs: RouteDocs = {
  operationId: "createMessage",
  summary: "Answer a conversation, as Anthropic's messages do",
  tag,
  answer: Message,
  stream: { event: MessageEvent, description: "With `stream`: events named by their type. A failure on the way is an `error` event, and the stream ends." },
};
const countDocs: RouteDocs = { operationId: "countTokens", summary: "How many tokens a conversation would be, pictures and tools included", tag, answer: TokenCount };

/** `POST /v1/messages`, whole and streamed, and `POST /v1/messages/count_tokens`. */
export function registerMessages(app: Routes, answering: Answering): void {
  const { pictures } = answering;
  app.post("/v1/messages", { schema: { body: MessagesRequest }, config: { docs: messageDocs } }, (request, reply) => {
    const { body } = request;
    return answer(answering, request, reply, {
      model: body.model,
      prepare: (signal) => messagesToChat(body, pictures, signal),
      whole: (events, { info }) => toMessage(info.id, events),
      stream: body.stream
        ? {
            events: async function* (events, { info }) {
              for await (const event of toMessageEvents(info.id, events)) yield namedSseEvent(event);
            },
            failure: (error) => namedSseEvent(anthropicError(error, request.id)),
          }
        : undefined,
    });
  });

  app.post("/v1/messages/count_tokens", { schema: { body: CountTokensRequest }, config: { docs: countDocs } }, (request, reply) =>
    answerCall(answering, reply, request.body.model, async (engine, signal): Promise<TokenCount> => {
      const tokens = await engine.promptTokens(await messagesToChat(request.body, pictures, signal), { signal });
      return { input_tokens: tokens.length };
    }),
  );
}
