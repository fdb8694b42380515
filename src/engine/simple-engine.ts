import { join } from "node:path";
import { z } from "zod";
import { DeskhandError } from "../core/errors.js";
import { readJson } from "../core/json.js";
import { resolveModel } from "./hub/resolve.js";
import type { CallOptions, ChatRequest, EmbeddingRequest, Embeddings, EncodeRequest, Engine, EngineStartOptions, EngineStats, InferenceEvent, ModelInfo, TranscriptionEvent, TranscriptionRequest } from "./inference.js";
import type { ModelLimits } from "./limits.js";
import { liveTensors, memoryUse } from "./mlx/index.js";
import type { LoadOptions } from "./model-options.js";
import { load, Model } from "./model.js";
import { loadTranscriber, Transcriber } from "./transcribe/transcriber.js";

/** How a model is loaded. */
export type SimpleEngineOptions = Pick<LoadOptions, "device" | "dtype" | "toolFormat" | keyof ModelLimits>;

/** One model in this process, of any kind, behind the interface that servers use. */
export class SimpleEngine implements Engine {
  readonly #name: string;
  readonly #options: SimpleEngineOptions;
  #model: Model | Transcriber | undefined;

  /** @param name a folder, an alias or a Hugging Face id; nothing is loaded before `start`. */
  constructor(name: string, options: SimpleEngineOptions = {}) {
    this.#name = name;
    this.#options = options;
  }

  get info(): ModelInfo {
    const model = this.#started();
    if (model instanceof Model) return model.info;
    const { id, modelType, contextLength } = model.info;
    return { id, modelType, contextLength, tasks: ["transcribe"], vision: false, audio: true };
  }

  async start({ signal, onProgress }: EngineStartOptions = {}): Promise<void> {
    if (this.#model !== undefined) return;
    const reports = { signal, onProgress };
    const { dir } = await resolveModel(this.#name, reports);
    this.#model = (await isTranscriber(dir)) ? await loadTranscriber(this.#name, { ...this.#options, ...reports }) : await load(this.#name, { ...this.#options, ...reports });
  }

  generate(request: ChatRequest, options: CallOptions = {}): AsyncIterable<InferenceEvent> {
    return this.#chatModel().streamChat(request, options);
  }

  transcribe(request: TranscriptionRequest, options: CallOptions = {}): AsyncIterable<TranscriptionEvent> {
    const model = this.#started();
    if (!(model instanceof Transcriber)) throw cannot(model.info.id, "write down speech: a Whisper model does");
    return transcription(model, request, options);
  }

  async embed({ inputs, dimensions }: EmbeddingRequest, options: CallOptions = {}): Promise<Embeddings> {
    const model = this.#started();
    if (!(model instanceof Model)) throw cannot(model.info.id, "give embeddings: it writes down speech");
    return model.embed(inputs, { ...options, dimensions });
  }

  stats(): Promise<EngineStats> {
    const { activeBytes, cacheBytes } = memoryUse();
    const held = this.#model?.memory ?? { weightBytes: 0, runningBytes: 0 };
    return Promise.resolve({ rssBytes: process.memoryUsage.rss(), activeBytes, cacheBytes, ...held, liveTensors: liveTensors() });
  }

  async limitMemory(bytes: number): Promise<EngineStats> {
    const model = this.#started();
    // One that hears keeps nothing from one sound to the next.
    if (model instanceof Model) model.limitMemory(bytes);
    return this.stats();
  }

  async encode({ text, ...options }: EncodeRequest): Promise<number[]> {
    return this.#chatModel().encode(text, options);
  }

  async decode(tokens: readonly number[]): Promise<string> {
    return this.#chatModel().decode(tokens);
  }

  async promptTokens(request: ChatRequest, options: CallOptions = {}): Promise<number[]> {
    return this.#chatModel().promptTokens(request, options);
  }

  async stop(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.dispose();
  }

  #chatModel(): Model {
    const model = this.#started();
    if (!(model instanceof Model)) throw cannot(model.info.id, "answer messages: it writes down speech");
    return model;
  }

  #started(): Model | Transcriber {
    if (this.#model === undefined) throw new DeskhandError("engine_unavailable", `Expected the engine for ${this.#name} to be started. Call start() first.`);
    return this.#model;
  }
}

async function* transcription(model: Transcriber, { sound, ...options }: TranscriptionRequest, { signal }: CallOptions): AsyncGenerator<TranscriptionEvent, void> {
  const segments = model.streamTranscribe(sound, { ...options, signal });
  try {
    for (;;) {
      const { value, done } = await segments.next();
      yield done ? { type: "transcript", transcript: value } : { type: "segment", segment: value };
      if (done) return;
    }
  } finally {
    await segments.return(undefined as never);
  }
}

const ModelType = z.looseObject({ model_type: z.string() });

/** A config.json that says nothing of the kind is for `load` to complain about. */
async function isTranscriber(dir: string): Promise<boolean> {
  const config = ModelType.safeParse(await readJson(join(dir, "config.json")));
  return config.success && config.data.model_type === "whisper";
}

function cannot(id: string, what: string): DeskhandError {
  return new DeskhandError("unsupported_input", `The model ${id} does not ${what}. GET /v1/models lists what is there.`, { param: "model" });
}
