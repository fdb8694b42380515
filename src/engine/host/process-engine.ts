import { setTimeout as delay } from "node:timers/promises";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { OnProgress } from "../../core/progress.js";
import type { CallOptions, ChatRequest, EmbeddingRequest, Embeddings, EncodeRequest, Engine, EngineStartOptions, EngineStats, InferenceEvent, ModelInfo, TranscriptionEvent, TranscriptionRequest } from "../inference.js";
import type { SimpleEngineOptions } from "../simple-engine.js";
import { EngineProcess, unavailable } from "./engine-process.js";

/** A process that lived this long was sound: its loss counts as the first. */
const SOUND_AFTER_MS = 30_000;
/** Waits before the first, second, … start in a row; when the last has not helped, the engine has failed. */
const RESTART_DELAYS_MS = [0, 500, 1_000, 2_000, 5_000];

export interface ProcessEngineOptions extends SimpleEngineOptions {
  /** The compiled program of the engine's process; for callers that do not run compiled themselves. */
  program?: URL;
}

/**
 * A model in a process of its own: a native abort, a kill for memory or a GPU fault ends that process and not this one. What was under way
 * then ends with `engine_unavailable`, and the process is started again.
 */
export class ProcessEngine implements Engine {
  readonly #model: string;
  #options: Required<Pick<ProcessEngineOptions, "program">> & SimpleEngineOptions;
  readonly #stopped = new AbortController();
  #process: EngineProcess | undefined;
  #info: ModelInfo | undefined;
  #stopping: Promise<void> | undefined;

  /** @param model a folder, an alias or a Hugging Face id; no process is started before `start`. */
  constructor(model: string, { program = new URL("./main.js", import.meta.url), ...options }: ProcessEngineOptions = {}) {
    this.#model = model;
    this.#options = { program, ...options };
  }

  /** The model's description: known from the first start on, also while the process is being replaced. */
  get info(): ModelInfo {
    if (this.#info === undefined) throw new DeskhandError("engine_unavailable", `Expected the engine for ${this.#model} to be started. Call start() first.`);
    return this.#info;
  }

  /** The process's id while there is one that answers. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the process and loads the model; from then on the process is replaced when it is lost. */
  async start({ signal, ...reports }: EngineStartOptions = {}): Promise<void> {
    throwIfAborted(signal);
    const { signal: stopped } = this.#stopped;
    const process = await this.#launch(signal === undefined ? stopped : AbortSignal.any([signal, stopped]), reports.onProgress);
    void this.#supervise(process, reports);
  }

  generate(request: ChatRequest, options: CallOptions = {}): AsyncIterable<InferenceEvent> {
    return this.#running().call("generate", request, options);
  }

  transcribe(request: TranscriptionRequest, options: CallOptions = {}): AsyncIterable<TranscriptionEvent> {
    return this.#running().call("transcribe", request, options);
  }

  async encode(request: EncodeRequest): Promise<number[]> {
    return onlyEvent(this.#running().call("encode", request));
  }

  async decode(tokens: readonly number[]): Promise<string> {
    return onlyEvent(this.#running().call("decode", tokens));
  }

  async promptTokens(request: ChatRequest, options: CallOptions = {}): Promise<number[]> {
    return onlyEvent(this.#running().call("promptTokens", request, options));
  }

  async embed(request: EmbeddingRequest, options: CallOptions = {}): Promise<Embeddings> {
    return onlyEvent(this.#running().call("embed", request, options));
  }

  async stats(): Promise<EngineStats> {
    return onlyEvent(this.#running().call("stats", undefined));
  }

  async limitMemory(maxMemoryBytes: number): Promise<EngineStats> {
    // A process that takes the place of this one keeps to it as well.
    this.#options = { ...this.#options, maxMemoryBytes };
    return onlyEvent(this.#running().call("limitMemory", maxMemoryBytes));
  }

  /** Ends the process, at the latest after a few seconds. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #running(): EngineProcess {
    if (this.#process === undefined) throw unavailable("is not running");
    return this.#process;
  }

  async #stop(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    this.#stopped.abort();
    await process?.stop();
  }

  /** A process with the model loaded. Rejects as loading does; the process is gone then. */
  async #launch(signal: AbortSignal, onProgress: OnProgress | undefined): Promise<EngineProcess> {
    const { maxMemoryBytes } = this.#options;
    const process = new EngineProcess({ ...this.#options, model: this.#model, onProgress });
    const kill = (): void => process.kill();
    signal.addEventListener("abort", kill, { once: true });
    try {
      this.#info = await process.loaded;
      const allowed = this.#options.maxMemoryBytes;
      if (allowed !== undefined && allowed !== maxMemoryBytes) await onlyEvent(process.call("limitMemory", allowed));
      throwIfAborted(signal);
      return (this.#process = process);
    } catch (error) {
      kill();
      await process.ended;
      throwIfAborted(signal);
      throw error;
    } finally {
      signal.removeEventListener("abort", kill);
    }
  }

  /** Replaces the process whenever it is lost, until the engine is stopped or starting it anew has stopped helping. */
  async #supervise(first: EngineProcess, { onProgress, onState }: Pick<EngineStartOptions, "onProgress" | "onState">): Promise<void> {
    const { signal } = this.#stopped;
    let attempts = 0;
    for (let process: EngineProcess | undefined = first; process !== undefined; ) {
      const since = performance.now();
      await process.ended;
      if (signal.aborted) return;
      this.#process = process = undefined;
      onState?.("loading");
      if (performance.now() - since > SOUND_AFTER_MS) attempts = 0;
      while (process === undefined && attempts < RESTART_DELAYS_MS.length) {
        // Both reject when the engine is stopped, and then nothing is left to do.
        await delay(RESTART_DELAYS_MS[attempts++], undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
        process = await this.#launch(signal, onProgress).catch(() => undefined);
        if (signal.aborted) return;
      }
      onState?.(process === undefined ? "failed" : "ready");
    }
  }
}

async function onlyEvent<Event>(events: AsyncIterable<Event>): Promise<Event> {
  for await (const event of events) return event;
  throw new DeskhandError("internal", "Expected the engine's process to answer the call but it ended it without a word.");
}
