import { z } from "zod";

/**
 * `POST /tokenize` and `/detokenize`, in the words of both servers that have them: vLLM's clients send `prompt` and read `tokens` and `count`,
 * those of llama.cpp send `content` and read `tokens`.
 */

const model = z.string().nullish();

export const TokenizeRequest = z
  .union(
    [
      z.object({ model, prompt: z.string(), add_special_tokens: z.boolean().default(true) }),
      z.object({ model, content: z.string(), add_special: z.boolean().default(false), with_pieces: z.boolean().default(false) }),
    ],
    { error: "expected a string in prompt or in content" },
  )
  .meta({ id: "TokenizeRequest" });

const Piece = z.strictObject({ id: z.number().int(), piece: z.string() });
export const Tokens = z
  .strictObject({
    /** With `with_pieces` what each stands for as well. */
    tokens: z.union([z.array(z.number().int()), z.array(Piece)]),
    count: z.number().int(),
    /** Longest prompt plus completion. */
    max_model_len: z.number().int(),
  })
  .meta({ id: "Tokens" });
export type Tokens = z.infer<typeof Tokens>;

export const DetokenizeRequest = z.object({ model, tokens: z.array(z.number().int().min(0)).max(1_000_000) }).meta({ id: "DetokenizeRequest" });

/** The text under both names. */
export const Detokenized = z.strictObject({ prompt: z.string(), content: z.string() }).meta({ id: "Detokenized" });
export type Detokenized = z.infer<typeof Detokenized>;
