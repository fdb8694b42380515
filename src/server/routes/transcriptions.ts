import multipart from "@fastify/multipart";
import type { FastifyReply, FastifyRequest } from "fastify";
import { begin, sendStream, type Answering } from "../answering.js";
import { openAiError } from "../error-forms.js";
import { withParam } from "../errors.js";
import { FORM_LIMITS, readForm } from "../form.js";
import { causeOf } from "../in-flight.js";
import type { RouteDocs } from "../openapi/route-docs.js";
import type { Routes } from "../openapi/zod-types.js";
import { parseRequest } from "../schemas/parse.js";
import { TranscriptionAnswer, TranscriptionStreamEvent } from "../schemas/transcription-answer.js";
import { TranscriptionForm, TranslationForm } from "../schemas/transcription-request.js";
import { sseEvent } from "../sse.js";
import { TEXT_CONTENT_TYPES, toTranscriptAnswer, toTranscriptEvents } from "../transcription-answer.js";

const shared = { tag: "OpenAI", answer: TranscriptionAnswer, otherTypes: TEXT_CONTENT_TYPES, description: "Text as `json`, with times as `verbose_json`, `srt` and `vtt`, or plain as `text`." };

const transcriptionDocs: RouteDocs = {
  ...shared,
  operationId: "createTranscription",
  summary: "Write down what is said, as OpenAI's transcriptions do",
  form: TranscriptionForm,
  stream: { event: TranscriptionStreamEvent, description: "With `stream`: the text as it is heard, then all of it. A failure on the way is an error object, and the stream ends." },
};

const translationDocs: RouteDocs = { ...shared, operationId: "createTranslation", summary: "Write in English what is said in another language", form: TranslationForm };

/** `POST /v1/audio/transcriptions`, `POST /v1/audio/translations` */
export async function registerTranscriptions(app: Routes, answering: Answering): Promise<void> {
  await app.register(multipart, { limits: { ...FORM_LIMITS, fileSize: answering.limits.maxBodyBytes } });

  app.post("/v1/audio/transcriptions", { config: { docs: transcriptionDocs } }, async (request, reply) =>
    hear(answering, request, reply, { ...parseRequest(TranscriptionForm, await readForm(request)), task: "transcribe" }),
  );
  app.post("/v1/audio/translations", { config: { docs: translationDocs } }, async (request, reply) => {
    const form = parseRequest(TranslationForm, await readForm(request));
    return hear(answering, request, reply, { ...form, "timestamp_granularities[]": ["segment"], stream: false, task: "translate" });
  });
}

type Wanted = TranscriptionForm & { task: "transcribe" | "translate" };

async function hear({ models, inFlight, limits }: Answering, request: FastifyRequest, reply: FastifyReply, wanted: Wanted): Promise<unknown> {
  using flight = inFlight.track(reply.raw);
  const { signal } = flight;
  try {
    using lease = await models.borrow(wanted.model, { task: "transcribe", signal });
    request.servedModel = lease.engine.info.id;
    await lease.turn(signal);
    const { file: sound, language, prompt, task, temperature } = wanted;
    const heard = lease.engine.transcribe(
      {
        sound,
        language,
        prompt,
        task,
        // 0 tries higher temperatures where the text is unlikely, which is what the engine does by itself.
        temperature: temperature === 0 ? undefined : temperature,
        wordTimestamps: wanted.response_format === "verbose_json" && wanted["timestamp_granularities[]"].includes("word"),
        maxDurationS: limits.maxSoundSeconds,
      },
      { signal },
    );
    const events = await begin(heard);
    if (!wanted.stream) {
      const { contentType, body } = await toTranscriptAnswer(events, wanted);
      return await reply.type(contentType).send(body);
    }
    await sendStream(asText(toTranscriptEvents(events)), request, reply, { signal, stallTimeoutMs: limits.stallTimeoutMs, failure: (error) => sseEvent(openAiError(error)) });
    return reply;
  } catch (error) {
    throw causeOf(withParam(error, "file"), signal);
  }
}

async function* asText(events: AsyncIterable<TranscriptionStreamEvent>): AsyncGenerator<string> {
  for await (const event of events) yield sseEvent(event);
}
