import { z } from "zod";
import { SOUND_FORMATS } from "../speech/sound-formats.js";

/** The one model that speaks: the voice of the system that the server runs on. */
export const SYSTEM_SPEECH = "system";

const MAX_CHARACTERS = 4096;
/** What every voice can do; OpenAI's range is wider. */
const SPEED = { least: 0.5, most: 2.5 } as const;

const speedHint = `expected a speed from ${SPEED.least} to ${SPEED.most}, which is what the system's voice can do`;

/** `POST /v1/audio/speech` */
export const SpeechRequest = z
  .object({
    /** What is said. */
    input: z.string().min(1, "expected a text that is not empty").max(MAX_CHARACTERS, `expected at most ${MAX_CHARACTERS} characters; send a longer text in parts`),
    /** `system`, the voice of the system that the server runs on. */
    model: z.string(),
    /** `default`, or the name of a voice of that system, e.g. `en-gb` of espeak-ng. */
    voice: z
      .string()
      .regex(/^[\p{L}\p{N}][\p{L}\p{N}+() .-]{0,63}$/u, 'expected "default" or the name of a voice of the system')
      .default("default"),
    response_format: z.enum(SOUND_FORMATS).default("mp3"),
    speed: z.number().min(SPEED.least, speedHint).max(SPEED.most, speedHint).default(1),
    /** The system's voice follows none. */
    instructions: z.null({ error: "expected no instructions: the system's voice cannot follow any" }).optional(),
    /** The sound is sent when all of it is spoken. */
    stream_format: z.literal("audio", { error: 'expected "audio": the system\'s voice is not streamed' }).default("audio"),
  })
  .meta({ id: "SpeechRequest" });
export type SpeechRequest = z.infer<typeof SpeechRequest>;
