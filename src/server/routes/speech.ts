import { DeskhandError } from "../../core/errors.js";
import { Semaphore } from "../../core/semaphore.js";
import { findSystemVoice, type SystemVoice } from "../../core/system-voice.js";
import type { Answering } from "../answering.js";
import { causeOf } from "../in-flight.js";
import type { RouteDocs } from "../openapi/route-docs.js";
import type { Routes } from "../openapi/zod-types.js";
import { SpeechRequest, SYSTEM_SPEECH } from "../schemas/speech-request.js";
import { toSoundFormat } from "../speech/sound-formats.js";
import { speak } from "../speech/speak.js";

const docs: RouteDocs = {
  operationId: "createSpeech",
  summary: "Say a text in the voice of the server's system",
  tag: "OpenAI",
  description: "The model `system` is `say` or espeak-ng, whichever the system has; no other model speaks.",
  answer: { contentType: "audio/mpeg", description: "The sound, in the format that was asked for." },
  otherTypes: ["audio/ogg", "audio/aac", "audio/flac", "audio/wav", "audio/pcm"],
  errors: [404, 429, 501],
};

/** How many texts are spoken at a time, and may wait for that: each takes a processor. */
const AT_A_TIME = 1;
const MAX_WAITING = 16;
const RETRY_AFTER_S = 2;

/** `POST /v1/audio/speech` */
export function registerSpeech(app: Routes, { inFlight }: Answering): void {
  const turns = new Semaphore(AT_A_TIME);
  let present = 0;
  app.post("/v1/audio/speech", { schema: { body: SpeechRequest }, config: { docs } }, async (request, reply) => {
    const { model, input, voice, speed, response_format: format } = request.body;
    if (model !== SYSTEM_SPEECH) throw new DeskhandError("model_not_found", `This server speaks in the voice of its system alone: expected the model "${SYSTEM_SPEECH}", received ${JSON.stringify(model)}.`, { param: "model" });
    const system = systemVoice();
    if (present >= AT_A_TIME + MAX_WAITING) throw new DeskhandError("queue_full", `${MAX_WAITING} texts are already waiting to be spoken. Try again in ${RETRY_AFTER_S} s.`, { retryAfterS: RETRY_AFTER_S });
    using flight = inFlight.track(reply.raw);
    const { signal } = flight;
    present++;
    try {
      const release = await turns.acquire(signal);
      try {
        const wave = await speak(system, input, { voice: voice === "default" ? undefined : voice, speed }, signal);
        const { contentType, bytes } = await toSoundFormat(wave, format, signal);
        return await reply.type(contentType).send(bytes);
      } finally {
        release();
      }
    } catch (error) {
      throw causeOf(error, signal);
    } finally {
      present--;
    }
  });
}

function systemVoice(): SystemVoice {
  const found = findSystemVoice();
  if (found === undefined) throw new DeskhandError("not_implemented", "Expected a voice on the server's system but there is none. Install one there (apt install espeak-ng), or let the client speak the text.");
  return found;
}
