import { basename } from "node:path";
import { DeskhandError, messageOf, throwIfAborted } from "../core/errors.js";
import type { Progress } from "../core/progress.js";
import type { Engine, EngineStartOptions, EngineState, EngineStats, ModelInfo } from "../engine/inference.js";
import { modelLimitsOf, type ModelLimits } from "../engine/limits.js";
import { GenerationQueue, type QueueLimits } from "./generation-queue.js";

/** `unloaded`: not in memory, and loaded by the next request for it. */
export type ModelState = EngineState | "unloaded";

/** A model that the server may load, and what it is called. */
export interface ModelSpec {
  /** Its id as far as it is known before it is loaded. */
  id: string;
  /** Further names that requests may call it by. */
  names?: readonly string[];
  /** Loaded at the start, and not evicted. */
  isPinned?: boolean;
  /** An engine for it, not started, that keeps to these limits. */
  createEngine: (limits: ModelLimits) => Engine;
  /** What its weights take, where that is known before they are loaded. */
  sizeBytes?: () => Promise<number | undefined>;
}

/** How long an engine may take to say what it costs before its last word counts. */
const STATS_TIMEOUT_MS = 1_000;
/** How long it may take to let go of what it keeps. */
const ALLOW_TIMEOUT_MS = 10_000;

/** One model and the engine it runs in while it is in memory: its state, who uses it, what it costs. */
export class HostedModel {
  readonly isPinned: boolean;
  readonly queue: GenerationQueue;
  readonly #spec: ModelSpec;
  readonly #limits: ModelLimits;
  #engine: Engine | undefined;
  #state: ModelState = "unloaded";
  #onSettled: (() => void)[] = [];
  #id: string;
  #progress: Progress | undefined;
  #failure: { error: unknown; at: number } | undefined;
  #stopping: Promise<void> | undefined;
  #users = 0;
  #lastUsedAt = 0;
  #isPresent = false;
  #allowedBytes: number;
  #weightBytes = 0;
  #runningBytes = 0;
  #residentBytes = 0;
  /** Of weights, by the engine's own word. */
  #knownBytes: number | undefined;

  constructor(spec: ModelSpec, limits: QueueLimits & ModelLimits) {
    this.#spec = spec;
    this.#id = spec.id;
    this.isPinned = spec.isPinned ?? false;
    this.#limits = modelLimitsOf(limits);
    this.#allowedBytes = limits.maxMemoryBytes;
    this.queue = new GenerationQueue(limits);
  }

  get id(): string {
    return this.#id;
  }

  get state(): ModelState {
    return this.#state;
  }

  #become(state: ModelState): void {
    this.#state = state;
    this.#progress = undefined;
    if (state !== "loading") for (const settled of this.#onSettled.splice(0)) settled();
  }

  /** Resolves when it is no longer loading. */
  settled(): Promise<void> {
    if (this.#state !== "loading") return Promise.resolve();
    return new Promise((resolve) => this.#onSettled.push(resolve));
  }

  /** The latest report of loading, while it lasts. */
  get progress(): Progress | undefined {
    return this.#state === "loading" ? this.#progress : undefined;
  }

  /** The model's description, while it is loaded. */
  get info(): ModelInfo | undefined {
    return this.#state === "ready" ? this.#engine?.info : undefined;
  }

  /** When loading it failed last, by `performance.now()`. */
  get failedAt(): number | undefined {
    return this.#state === "failed" ? this.#failure?.at : undefined;
  }

  /** The engine, while the model is loaded. */
  get engine(): Engine {
    if (this.#state === "ready" && this.#engine !== undefined) return this.#engine;
    throw this.unavailable();
  }

  /** Requests that are being answered by it or wait for it. */
  get users(): number {
    return this.#users;
  }

  /** When the last of them left, by `performance.now()`. */
  get lastUsedAt(): number {
    return this.#lastUsedAt;
  }

  /** Whether it is in memory, or has some reserved. */
  get isPresent(): boolean {
    return this.#isPresent;
  }

  /** All that it takes in memory, or will once it is loaded; 0 while it is not. */
  get bytes(): number {
    return Math.max(this.#residentBytes, this.heldBytes);
  }

  /** Of that, what it cannot let go of while it is loaded. */
  get weightBytes(): number {
    return this.#weightBytes;
  }

  /** Of that, what it cannot let go of now: its weights, and what runs. */
  get heldBytes(): number {
    return this.#weightBytes + this.#runningBytes;
  }

  /** What it may take. */
  get allowedBytes(): number {
    return this.#allowedBytes;
  }

  /** Every name requests may call it by, its id first: the id's last part (a folder or repository name) and those it was given. */
  get names(): string[] {
    return [...new Set([this.#id, basename(this.#id), this.#spec.id, ...(this.#spec.names ?? [])])];
  }

  /** What its weights will take; 0 when nobody knows. */
  async expectedBytes(): Promise<number> {
    return this.#knownBytes ?? (await this.#spec.sizeBytes?.()) ?? 0;
  }

  /** Keeps this much of the memory for it until it is unloaded. */
  reserve(bytes: number): void {
    this.#isPresent = true;
    this.#weightBytes = bytes;
  }

  /** Has it keep to this many bytes; one that is not loaded yet does from its beginning. @returns whether it does. */
  async allow(bytes: number): Promise<boolean> {
    this.#allowedBytes = bytes;
    // A process that is just being replaced keeps to it as well, once it is there.
    const stats = this.#engine?.limitMemory(bytes).catch(() => undefined);
    const isDone = stats === undefined || (await inTime(stats.then((told) => (this.#take(told), true)), ALLOW_TIMEOUT_MS));
    return isDone === true;
  }

  /** What the engine says it costs now; undefined when there is none, or when it is too busy to say. */
  async stats(): Promise<EngineStats | undefined> {
    if (this.#state !== "ready" || this.#engine === undefined) return undefined;
    return inTime(
      this.#engine.stats().catch(() => undefined),
      STATS_TIMEOUT_MS,
    );
  }

  /** Has `bytes` and its like tell what the engine costs now. */
  async measure(): Promise<void> {
    this.#take(await this.stats());
  }

  #take(stats: EngineStats | undefined): void {
    if (stats === undefined || this.#state !== "ready") return;
    // Unified memory counts as the process's own; a card's is only in the second.
    this.#residentBytes = Math.max(stats.rssBytes, stats.activeBytes + stats.cacheBytes);
    this.#weightBytes = this.#knownBytes = stats.weightBytes;
    this.#runningBytes = stats.runningBytes;
  }

  #free(): void {
    this.#isPresent = false;
    this.#weightBytes = this.#runningBytes = this.#residentBytes = 0;
    this.#allowedBytes = this.#limits.maxMemoryBytes;
  }

  /** Counts as one user until it is disposed. */
  use(): Disposable {
    this.#users++;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#users--;
        this.#lastUsedAt = performance.now();
      },
    };
  }

  /** Loads the model, which is not in memory. Rejects as the engine does; the model has then `failed`, and requests are told why. */
  async start(options: EngineStartOptions = {}): Promise<void> {
    const engine = (this.#engine = this.#spec.createEngine({ ...this.#limits, maxMemoryBytes: this.#allowedBytes }));
    this.#become("loading");
    try {
      await engine.start({
        signal: options.signal,
        onProgress: (progress) => {
          this.#progress = progress;
          options.onProgress?.(progress);
        },
        onState: (state) => {
          if (this.#engine !== engine) return;
          this.#become(state);
          options.onState?.(state);
        },
      });
      throwIfAborted(options.signal);
      if (this.#engine !== engine) throw new DeskhandError("cancelled", `The model ${this.#id} was unloaded while it was loading.`);
      this.#id = engine.info.id;
      this.#failure = undefined;
      if (this.#state === "loading") this.#become("ready");
    } catch (error) {
      if (this.#engine === engine) {
        this.#engine = undefined;
        this.#failure = { error, at: performance.now() };
        this.#free();
        this.#become("failed");
      }
      await engine.stop();
      throw error;
    }
  }

  /** Frees the model's memory. Safe to call at any time. */
  async stop(): Promise<void> {
    const engine = this.#engine;
    if (engine !== undefined) {
      this.#engine = undefined;
      this.#become("unloaded");
      this.#stopping = Promise.all([this.#stopping, engine.stop()]).then(() => {
        if (this.#engine === undefined) this.#free();
      });
    }
    await this.#stopping;
  }

  /** Why no request can be answered now. */
  unavailable(): DeskhandError {
    const how = UNAVAILABLE[this.#state === "ready" ? "loading" : this.#state];
    const why = this.#state === "failed" && this.#failure !== undefined ? ` ${messageOf(this.#failure.error)}` : "";
    return new DeskhandError("engine_unavailable", `The model ${this.#id} ${how}${why}`);
  }
}

/** What the promise gives, or nothing when that takes too long. */
async function inTime<Result>(promise: Promise<Result>, timeoutMs: number): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, timeoutMs, undefined)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const UNAVAILABLE: Record<Exclude<ModelState, "ready">, string> = {
  loading: "is still loading. Try again shortly; GET /health shows how far it is.",
  unloaded: "is not loaded. Try again: the next request loads it.",
  failed: "could not be loaded, or its process was lost again and again; the server's log says more.",
};
