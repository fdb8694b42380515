import OpenAI, { toFile } from "openai";
import { explainServerError, toBaseURL } from "../model-server.js";
import { toWave } from "./samples.js";

/** Writes down what is said in 16-bit mono samples at 16 kHz; "" when nothing is. */
export type Transcribe = (samples: Int16Array, signal: AbortSignal) => Promise<string>;

export interface TranscriptionOptions {
  baseURL: string;
  model: string;
  apiKey?: string;
  /** What is spoken; heard unless given. */
  language?: string;
}

/** By an OpenAI-compatible server. Rejects with DeskhandError `model_server` or `cancelled`. */
export function serverTranscription({ baseURL, model, apiKey, language }: TranscriptionOptions): Transcribe {
  const address = toBaseURL(baseURL);
  const client = new OpenAI({ baseURL: address, apiKey: apiKey ?? process.env["OPENAI_API_KEY"] ?? "none", maxRetries: 0 });
  return async (samples, signal) => {
    try {
      const file = await toFile(toWave(samples), "speech.wav", { type: "audio/wav" });
      const { text } = await client.audio.transcriptions.create({ file, model, ...(language !== undefined && { language }) }, { signal });
      return text.trim();
    } catch (error) {
      throw explainServerError(error, { baseURL: address, addressOption: "--stt-url" });
    }
  };
}
