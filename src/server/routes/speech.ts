import { DeskhandError } from "../../core/errors.js";
import { findSystemVoice, type SystemVoice } from "../../core/system-voice.js";
import type { Answering } from "../answering.js";
import { GenerationQueue } from "../generation-queue.js";
import { causeOf } from "../in-flight.js";
import type { RouteDocs } from "../openapi/route-docs.js";
import type { Routes } from "../openapi/zod-types.js";
import { SpeechRequest, SYSTEM_SPEECH } from "../schemas/speech-request.js";
import { CONTENT_TYPES, toSoundFormat } from "../speech/sound-formats.js";
import { speak } from "../speech/speak.js";

const docs: RouteDocs = {
  operationId: "createSpeech",
  summary: "Say a text in the voice of the server's system",
  tag: "OpenAI",
  description: "The model `system` is `say` or espeak-ng, whichever the system has; no other model speaks.",
  answer: { contentType: CONTENT_TYPES.mp3, description: "The sound, in the format that was asked for." },
  otherTypes: Object.values(CONTENT_TYPES).filter((type) => type !== CONTENT_TYPES.mp3),
  errors: [404, 429, 501],
};

/** Each text takes a processor. */
const LIMITS = { maxConcurrent: 1, maxWaiting: 16 };

/** `POST /v1/audio/speech` */
export function registerSpeech(app: Routes, { inFlight }: Answering): void {
  const queue = new GenerationQueue(LIMITS);
  app.post("/v1/audio/speech", { schema: { body: SpeechRequest }, config: { docs } }, async (request, reply) => {
    const { model, input, voice, speed, response_format: format } = request.body;
    if (model !== SYSTEM_SPEECH) throw new DeskhandError("model_not_found", `This server speaks in the voice of its system alone: expected the model "${SYSTEM_SPEECH}", received ${JSON.stringify(model)}.`, { param: "model" });
    const system = systemVoice();
    using place = queue.reserve();
    using flight = inFlight.track(reply.raw);
    const { signal } = flight;
    try {
      await place.turn(signal);
      const wave = await speak(system, input, { voice: voice === "default" ? undefined : voice, speed }, signal);
      return await reply.type(CONTENT_TYPES[format]).send(await toSoundFormat(wave, format, signal));
    } catch (error) {
      throw causeOf(error, signal);
    }
  });
}

function systemVoice(): SystemVoice {
  const found = findSystemVoice();
  if (found === undefined) throw new DeskhandError("not_implemented", "Expected a voice on the server's system but there is none. Install one there (apt install espeak-ng), or let the client speak the text.");
  return found;
}
