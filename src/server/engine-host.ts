import { basename } from "node:path";
import { DeskhandError, throwIfAborted } from "../core/errors.js";
import type { Progress } from "../core/progress.js";
import type { Engine, EngineStartOptions, EngineState, ModelInfo } from "../engine/inference.js";

export type HostState = EngineState | "stopped";

export interface EngineHostOptions {
  /** Further names the model of this id answers to, e.g. its aliases or the name it was asked for by. */
  namesOf?: (id: string) => readonly string[];
}

/** The engine behind the routes: what state it is in, and by which names requests may call its model. */
export class EngineHost {
  readonly #engine: Engine;
  readonly #namesOf: (id: string) => readonly string[];
  #state: HostState = "loading";
  #progress: Progress | undefined;
  #stopping: Promise<void> | undefined;

  constructor(engine: Engine, options: EngineHostOptions = {}) {
    this.#engine = engine;
    this.#namesOf = options.namesOf ?? (() => []);
  }

  get state(): HostState {
    return this.#state;
  }

  /** The latest report of loading, while it lasts. */
  get progress(): Progress | undefined {
    return this.#state === "loading" ? this.#progress : undefined;
  }

  /** The model's description; undefined until it is loaded. */
  get info(): ModelInfo | undefined {
    return this.#state === "ready" ? this.#engine.info : undefined;
  }

  /** Loads the model. Rejects as the engine does; the host is then `failed` and requests say so. */
  async start(options: EngineStartOptions = {}): Promise<void> {
    try {
      await this.#engine.start({
        signal: options.signal,
        onProgress: (progress) => {
          this.#progress = progress;
          options.onProgress?.(progress);
        },
        onState: (state) => {
          if (this.#state === "stopped") return;
          this.#progress = undefined;
          this.#state = state;
          options.onState?.(state);
        },
      });
      throwIfAborted(options.signal);
      if (this.#state === "loading") this.#state = "ready";
    } catch (error) {
      if (this.#state === "loading") this.#state = "failed";
      throw error;
    }
  }

  /** The engine, when its model is loaded and is the one asked for; else `engine_unavailable` or `model_not_found`. */
  serving(model: string | null | undefined): Engine {
    if (this.#state !== "ready") throw new DeskhandError("engine_unavailable", UNAVAILABLE[this.#state]);
    const names = this.names();
    if (typeof model === "string" && !names.includes(model)) {
      throw new DeskhandError(
        "model_not_found",
        `This server does not serve the model ${JSON.stringify(model)}. Expected ${names.map((name) => JSON.stringify(name)).join(" or ")}; GET /v1/models lists what is there.`,
        { param: "model" },
      );
    }
    return this.#engine;
  }

  /** Every name the served model answers to, its id first: the id's last part (a folder or repository name) and those of `namesOf`. */
  names(): string[] {
    const { id } = this.#engine.info;
    return [...new Set([id, basename(id), ...this.#namesOf(id)])];
  }

  /** Stops the engine. Safe to call twice. */
  stop(): Promise<void> {
    this.#state = "stopped";
    this.#stopping ??= this.#engine.stop();
    return this.#stopping;
  }
}

const UNAVAILABLE: Record<Exclude<HostState, "ready">, string> = {
  loading: "The model is still loading. Try again shortly; GET /health shows how far it is.",
  failed: "The model could not be loaded, or its process was lost again and again; the server's log says why. Restart the server with a model that loads.",
  stopped: "The server is shutting down.",
};
