import { DeskhandError } from "../core/errors.js";
import type { ChatRequest, Engine, EngineStartOptions, InferenceEvent, ModelInfo } from "./inference.js";
import { load, type LoadOptions, type Model } from "./model.js";

/** How a model is loaded. */
export type SimpleEngineOptions = Pick<LoadOptions, "device" | "dtype" | "toolFormat">;

/** One model in this process, one generation at a time, behind the interface that servers use. */
export class SimpleEngine implements Engine {
  readonly #name: string;
  readonly #options: SimpleEngineOptions;
  #model: Model | undefined;

  /** @param name a folder, an alias or a Hugging Face id; nothing is loaded before `start`. */
  constructor(name: string, options: SimpleEngineOptions = {}) {
    this.#name = name;
    this.#options = options;
  }

  get info(): ModelInfo {
    return this.#started().info;
  }

  async start({ signal, onProgress }: EngineStartOptions = {}): Promise<void> {
    this.#model ??= await load(this.#name, { ...this.#options, signal, onProgress });
  }

  generate(request: ChatRequest, options: { signal?: AbortSignal } = {}): AsyncIterable<InferenceEvent> {
    return this.#started().streamChat(request, options);
  }

  async stop(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.dispose();
  }

  #started(): Model {
    if (this.#model === undefined) throw new DeskhandError("engine_unavailable", `Expected the engine for ${this.#name} to be started. Call start() first.`);
    return this.#model;
  }
}
