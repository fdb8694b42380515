import type { Answering } from "../answering.js";
import { withParam } from "../errors.js";
import { causeOf } from "../in-flight.js";
import type { Routes } from "../openapi/zod-types.js";
import { EmbeddingList, EmbeddingRequest } from "../schemas/embeddings.js";

const docs = { operationId: "createEmbedding", summary: "A vector for each text", tag: "OpenAI", answer: EmbeddingList };

/** `POST /v1/embeddings` */
export function registerEmbeddings(app: Routes, { models, inFlight }: Answering): void {
  app.post("/v1/embeddings", { schema: { body: EmbeddingRequest }, config: { docs } }, async (request, reply): Promise<EmbeddingList> => {
    const { input, model, encoding_format: encoding, dimensions } = request.body;
    using flight = inFlight.track(reply.raw);
    const { signal } = flight;
    try {
      using lease = await models.borrow(model, { task: "embed", signal });
      const { id } = lease.engine.info;
      request.servedModel = id;
      await lease.turn(signal);
      const { vectors, promptTokens } = await lease.engine.embed({ inputs: inputsOf(input), dimensions: dimensions ?? undefined }, { signal });
      return {
        object: "list",
        data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: encoding === "base64" ? base64(vector) : [...vector] })),
        model: id,
        usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
      };
    } catch (error) {
      throw causeOf(withParam(error, "input"), signal);
    }
  });
}

function inputsOf(input: EmbeddingRequest["input"]): (string | number[])[] {
  if (typeof input === "string") return [input];
  return isNumbers(input) ? [input] : input;
}

function isNumbers(input: readonly (string | number | number[])[]): input is number[] {
  return typeof input[0] === "number";
}

function base64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}
