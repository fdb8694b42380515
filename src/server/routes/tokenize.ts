import { answerCall, type Answering } from "../answering.js";
import type { Routes } from "../openapi/zod-types.js";
import { DetokenizeRequest, Detokenized, TokenizeRequest, Tokens } from "../schemas/tokenize.js";

const tag = "Tokens";
const tokenizeDocs = { operationId: "tokenize", summary: "The token ids of a text, as vLLM and llama.cpp give them", tag, answer: Tokens };
const detokenizeDocs = { operationId: "detokenize", summary: "The text of token ids", tag, answer: Detokenized };

/** `POST /tokenize` and `POST /detokenize`. */
export function registerTokenize(app: Routes, answering: Answering): void {
  app.post("/tokenize", { schema: { body: TokenizeRequest }, config: { docs: tokenizeDocs } }, ({ body }, reply) =>
    answerCall(answering, reply, body.model, async (engine): Promise<Tokens> => {
      const isPrompt = "prompt" in body;
      const tokens = await engine.encode(isPrompt ? { text: body.prompt, addSpecialTokens: body.add_special_tokens } : { text: body.content, addSpecialTokens: body.add_special });
      const told = { count: tokens.length, max_model_len: engine.info.contextLength };
      if (isPrompt || !body.with_pieces) return { tokens, ...told };
      const pieces = await Promise.all(tokens.map(async (id) => ({ id, piece: await engine.decode([id]) })));
      return { tokens: pieces, ...told };
    }),
  );

  app.post("/detokenize", { schema: { body: DetokenizeRequest }, config: { docs: detokenizeDocs } }, ({ body }, reply) =>
    answerCall(answering, reply, body.model, async (engine): Promise<Detokenized> => {
      const text = await engine.decode(body.tokens);
      return { prompt: text, content: text };
    }),
  );
}
