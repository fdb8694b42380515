import { z } from "zod";

/** Most texts of one request, as OpenAI has it. */
const MAX_INPUTS = 2048;

const Text = z.string().min(1, "expected a text that is not empty");
const TokenIds = z.array(z.number().int().min(0)).min(1, "expected token ids, but the array is empty");

/** `POST /v1/embeddings` */
export const EmbeddingRequest = z
  .object({
    /** One text, several, the token ids of one, or those of several. */
    input: z.union([Text, z.array(Text).min(1, "expected at least one text").max(MAX_INPUTS), TokenIds, z.array(TokenIds).min(1).max(MAX_INPUTS)], {
      error: "expected a text, an array of texts, an array of token ids, or an array of such arrays",
    }),
    /** The served model, one of its names; left out, the served model. */
    model: z.string().nullish(),
    /** `base64` is little-endian float32. */
    encoding_format: z.enum(["float", "base64"]).nullish(),
    /** The first so many of the model's, for models that were trained for it. */
    dimensions: z.number().int().min(1).nullish(),
  })
  .meta({ id: "EmbeddingRequest" });
export type EmbeddingRequest = z.infer<typeof EmbeddingRequest>;

export const EmbeddingList = z
  .strictObject({
    object: z.literal("list"),
    data: z.array(z.strictObject({ object: z.literal("embedding"), index: z.number().int(), embedding: z.union([z.array(z.number()), z.string()]) })),
    model: z.string(),
    usage: z.strictObject({ prompt_tokens: z.number().int(), total_tokens: z.number().int() }),
  })
  .meta({ id: "EmbeddingList" });
export type EmbeddingList = z.infer<typeof EmbeddingList>;
