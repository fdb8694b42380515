import { z } from "zod";

/** Bytes of a file, which JSON Schema has no type for. */
const Bytes = z
  .unknown()
  .meta({ type: "string", format: "binary" })
  .transform((value, context): Uint8Array => {
    if (value instanceof Uint8Array) return value;
    context.addIssue({ code: "custom", message: 'expected a file, as a part of the form with filename="…"' });
    return z.NEVER;
  });

/** `POST /v1/audio/translations`: a form, whose fields come as text. Fields not named here are ignored. */
export const TranslationForm = z
  .object({
    /** Sound, or a film with sound, of any usual format; it is never written under a name of the client's. */
    file: Bytes,
    /** A model that writes down speech; left out, the served model. */
    model: z.string().optional(),
    /** Text that could stand before: it teaches names, spelling and style. */
    prompt: z.string().optional(),
    response_format: z.enum(["json", "text", "srt", "verbose_json", "vtt"]).default("json"),
    /** 0 is the likeliest text, and higher ones only where that text is unlikely. */
    temperature: z.coerce.number().min(0).max(1).default(0),
  })
  .meta({ id: "TranslationForm" });

/** `POST /v1/audio/transcriptions` */
export const TranscriptionForm = z
  .object({
    ...TranslationForm.shape,
    /** What is spoken: a code such as `en`, or an English name; heard from the first 30 seconds when left out. */
    language: z.string().min(1).optional(),
    /** With verbose_json: which times are told. */
    "timestamp_granularities[]": z.array(z.enum(["segment", "word"])).min(1).default(["segment"]),
    stream: z.stringbool({ error: "expected true or false" }).default(false),
    /** Probabilities of tokens are not told. */
    "include[]": z.array(z.string()).max(0, "expected no further fields: this server tells none (logprobs among them)").optional(),
  })
  .refine(({ stream, response_format: format }) => !stream || format === "json" || format === "text", {
    path: ["stream"],
    error: "expected response_format json or text with a stream; leave stream out for the other formats",
  })
  .meta({ id: "TranscriptionForm" });
export type TranscriptionForm = z.output<typeof TranscriptionForm>;
