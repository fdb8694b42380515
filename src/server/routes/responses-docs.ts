import type { RouteDocs } from "../openapi/route-docs.js";
import { DeletedResponse, ResponseEvent, ResponseObject } from "../schemas/responses-answer.js";

const tag = "OpenAI";
const params = { id: "The response's id." };
const errors = [404];

export const createDocs: RouteDocs = {
  operationId: "createResponse",
  summary: "Answer a conversation that the server remembers, as OpenAI's responses do",
  tag,
  answer: ResponseObject,
  stream: { event: ResponseEvent, description: "With `stream`: numbered events, named by their type. A failure on the way is an `error` event and `response.failed`, and the stream ends." },
};
export const retrieveDocs: RouteDocs = { operationId: "retrieveResponse", summary: "A response that is remembered, or under way", tag, answer: ResponseObject, params, errors };
export const deleteDocs: RouteDocs = { operationId: "deleteResponse", summary: "Forget a response, and end it where it is under way", tag, answer: DeletedResponse, params, errors };
export const cancelDocs: RouteDocs = { operationId: "cancelResponse", summary: "End a response that is under way, streamed ones too", tag, answer: ResponseObject, params, errors };
