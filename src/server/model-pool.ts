import { DeskhandError, isDeskhandError, throwIfAborted } from "../core/errors.js";
import type { OnProgress } from "../core/progress.js";
import type { EngineState, EngineTask } from "../engine/inference.js";
import type { ModelLimits } from "../engine/limits.js";
import { BorrowedEngine, type Borrowed } from "./borrowed-engine.js";
import { HostedModel, type ModelSpec } from "./hosted-model.js";
import type { ServerLimits } from "./limits.js";
import { inUse, MemoryBudget, settledOrAborted } from "./memory-budget.js";

export type PoolLimits = ModelLimits & Pick<ServerLimits, "maxWaiting" | "idleTimeoutMs" | "loadTimeoutMs">;

export interface ModelPoolOptions {
  /** The models requests may name, the default first. */
  models: readonly [ModelSpec, ...ModelSpec[]];
  /** Looks up a further model that a request may have loaded. */
  findMore?: (name: string) => Promise<ModelSpec | undefined>;
  limits: PoolLimits;
}

export interface PoolStartOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
  /** Told when a loaded model's engine is lost and being replaced, when it is back, and when it will not come back. */
  onState?: (model: HostedModel, state: EngineState) => void;
  /** Told of what comes and goes while the server runs. */
  onChange?: (model: HostedModel, what: "loaded" | "unloaded" | "failed", error?: unknown) => void;
}

/** A model in the hands of one request, which keeps it in memory. Disposing it gives it back. */
export interface Lease extends Disposable {
  readonly engine: Borrowed;
  /** Resolves when it is this request's turn; rejects with `cancelled` when the signal aborts first. */
  turn(signal: AbortSignal): Promise<void>;
}

/** A model that did not load is tried again by requests, but not by every one. */
const RETRY_LOADING_AFTER_MS = 5_000;

/**
 * The models of a server. They are loaded when a request first names them, each in an engine of its own; those nobody uses make
 * room for others, the longest unused first, and go when they have been idle for long.
 */
export class ModelPool {
  readonly #models: HostedModel[];
  readonly #findMore: NonNullable<ModelPoolOptions["findMore"]>;
  readonly #limits: PoolLimits;
  readonly #loading = new Map<HostedModel, Promise<void>>();
  readonly #idle = new Map<HostedModel, NodeJS.Timeout>();
  readonly #memory: MemoryBudget;
  readonly #stopped = new AbortController();
  #reports: Pick<PoolStartOptions, "onState" | "onChange"> = {};
  #stopping: Promise<void> | undefined;
  #isRefusing = false;

  constructor({ models, findMore, limits }: ModelPoolOptions) {
    this.#limits = limits;
    this.#models = models.map((spec) => new HostedModel(spec, limits));
    this.#findMore = findMore ?? (() => Promise.resolve(undefined));
    this.#memory = new MemoryBudget({ maxBytes: limits.maxMemoryBytes, timeoutMs: limits.loadTimeoutMs, models: () => this.#models, evict: (model) => this.#evict(model) });
  }

  /** Every model requests may name, and those loaded for others; the default first. */
  get models(): readonly HostedModel[] {
    return this.#models;
  }

  /** The model of requests that name none. */
  get defaultModel(): HostedModel {
    return this.#models[0]!;
  }

  /** Requests that hold a place, over all models. */
  get places(): number {
    return this.#models.reduce((sum, { queue }) => sum + queue.places, 0);
  }

  /** Loads the default model and the pinned ones. Rejects as the first of them does. */
  async start({ signal, onProgress, onState, onChange }: PoolStartOptions = {}): Promise<void> {
    this.#reports = { onState };
    for (const model of this.#models) {
      if (model !== this.defaultModel && !model.isPinned) continue;
      await this.#load(model, { signal, onProgress });
    }
    // Until here the caller hears of everything by itself.
    this.#reports = { onState, onChange };
  }

  /**
   * A model for a request: the one it names, or the default; loaded if it is not.
   * @throws DeskhandError `model_not_found`, `unsupported_input` when the model cannot do the task, `queue_full`,
   * `engine_unavailable` when it does not load in time, `model_too_large`, `cancelled`.
   */
  async borrow(name: string | null | undefined, { task, signal }: { task: EngineTask; signal: AbortSignal }): Promise<Lease> {
    const model = await this.find(name);
    const place = model.queue.reserve();
    const use = this.#use(model);
    const giveBack = (): void => {
      place[Symbol.dispose]();
      use[Symbol.dispose]();
    };
    try {
      await this.#available(model, signal);
      if (!model.engine.info.tasks.includes(task)) throw cannotDo(model.id, task);
      const engine = new BorrowedEngine(model.engine, (refusal) => this.#makeRoom(model, refusal, signal));
      return { engine, turn: (turnSignal) => place.turn(turnSignal), [Symbol.dispose]: giveBack };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /** The model of a name. Throws `model_not_found` for one that requests may not name. */
  async find(name: string | null | undefined): Promise<HostedModel> {
    if (name === null || name === undefined) return this.defaultModel;
    const spec = this.#named(name) === undefined ? await this.#findMore(name) : undefined;
    // Another request may have asked for it meanwhile.
    if (spec === undefined || this.#named(spec.id) !== undefined) return this.known(spec?.id ?? name);
    const model = new HostedModel(spec, this.#limits);
    this.#models.push(model);
    return model;
  }

  /** As `find`, of those listed in `models` alone. */
  known(name: string): HostedModel {
    const model = this.#named(name);
    if (model !== undefined) return model;
    const names = this.#models.flatMap((one) => one.names).map((one) => JSON.stringify(one));
    throw new DeskhandError("model_not_found", `This server does not serve the model ${JSON.stringify(name)}. Expected ${names.join(" or ")}; GET /v1/models lists what is there.`, { param: "model" });
  }

  /** Loads a model, and waits for it. @throws as `borrow`. */
  async load(name: string, signal: AbortSignal): Promise<HostedModel> {
    const model = await this.find(name);
    using _ = this.#use(model);
    await this.#available(model, signal);
    return model;
  }

  /** Frees a model's memory. Throws `model_busy` while requests use it, or when it is pinned. */
  async unload(name: string): Promise<HostedModel> {
    const model = this.known(name);
    if (model.isPinned) throw new DeskhandError("model_busy", `The model ${model.id} is pinned and stays loaded. Start the server without --pin ${model.id} to unload it.`, { param: "model" });
    if (model.users > 0) throw new DeskhandError("model_busy", `The model ${model.id} is used by ${model.users} requests. Unload it when they have been answered.`, { param: "model", retryAfterS: 1 });
    await this.#letGo(model);
    return model;
  }

  /** Whether a request without a model's name would be answered: also when that model has to be loaded for it. */
  get isReady(): boolean {
    return !this.#isRefusing && this.#models.every((model) => (model.isPinned ? model.state === "ready" : model !== this.defaultModel || model.state === "ready" || model.state === "unloaded"));
  }

  get isStopped(): boolean {
    return this.#isRefusing;
  }

  /** From now on no request gets a model; those that have one keep it. */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** Stops all engines. Safe to call twice. */
  stop(): Promise<void> {
    this.refuse();
    this.#stopped.abort(new DeskhandError("engine_unavailable", "The server is shutting down."));
    for (const timer of this.#idle.values()) clearTimeout(timer);
    this.#stopping ??= Promise.all(this.#models.map((model) => model.stop())).then(() => undefined);
    return this.#stopping;
  }

  #named(name: string): HostedModel | undefined {
    // What one model is called in full is not another's short name.
    return this.#models.find(({ id }) => id === name) ?? this.#models.find(({ names }) => names.includes(name));
  }

  #use(model: HostedModel): Disposable {
    const use = model.use();
    clearTimeout(this.#idle.get(model));
    return {
      [Symbol.dispose]: () => {
        use[Symbol.dispose]();
        if (model.users > 0) return;
        this.#watchIdle(model);
        this.#memory.released();
      },
    };
  }

  #watchIdle(model: HostedModel): void {
    clearTimeout(this.#idle.get(model));
    const { idleTimeoutMs } = this.#limits;
    if (idleTimeoutMs === 0 || model.isPinned || this.isStopped) return;
    this.#idle.set(model, setTimeout(() => model.users === 0 && void this.#letGo(model), idleTimeoutMs).unref());
  }

  async #evict(model: HostedModel): Promise<void> {
    const wasLoaded = model.state !== "unloaded";
    await model.stop();
    if (wasLoaded) this.#reports.onChange?.(model, "unloaded");
  }

  /** Frees a model's memory for the others. */
  async #letGo(model: HostedModel): Promise<void> {
    await this.#evict(model);
    if (!this.isStopped) await this.#memory.settle();
  }

  /** Has the others make room for what a model refused. Rejects with why they do not. */
  async #makeRoom(model: HostedModel, refusal: DeskhandError & { neededBytes: number }, signal: AbortSignal): Promise<void> {
    const { neededBytes } = refusal;
    if (await this.#memory.grow(model, neededBytes, signal)) return;
    throw neededBytes <= this.#memory.mostFor(model) ? inUse("The model and this request take", neededBytes) : refusal;
  }

  /** Resolves when the model is loaded, which is waited for as long as the limit says and the client stays. */
  async #available(model: HostedModel, signal: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(this.#limits.loadTimeoutMs);
    while (model.state !== "ready") {
      if (model.failedAt !== undefined && performance.now() - model.failedAt < RETRY_LOADING_AFTER_MS) throw model.unavailable();
      await settledOrAborted(model.state === "loading" ? model.settled() : this.#load(model, {}), AbortSignal.any([signal, late]));
      throwIfAborted(signal);
      if (late.aborted) throw model.unavailable();
    }
  }

  /** Loads a model once, however many ask. */
  #load(model: HostedModel, options: Pick<PoolStartOptions, "signal" | "onProgress">): Promise<void> {
    const begun = this.#loading.get(model);
    if (begun !== undefined) return begun;
    const loading = this.#loadNow(model, options).finally(() => this.#loading.delete(model));
    // Those who asked may have left by then.
    loading.catch(() => undefined);
    this.#loading.set(model, loading);
    return loading;
  }

  async #loadNow(model: HostedModel, { signal, onProgress }: Pick<PoolStartOptions, "signal" | "onProgress">): Promise<void> {
    const { signal: stopped } = this.#stopped;
    const either = signal === undefined ? stopped : AbortSignal.any([signal, stopped]);
    // An engine that was lost for good is still there.
    await model.stop();
    throwIfAborted(either);
    await this.#memory.makeRoom(model, either);
    try {
      await model.start({ signal: either, onProgress, onState: (state) => this.#reports.onState?.(model, state) });
    } catch (error) {
      if (!isDeskhandError(error, "cancelled")) this.#reports.onChange?.(model, "failed", error);
      if (!this.isStopped) await this.#memory.settle();
      throw error;
    }
    this.#reports.onChange?.(model, "loaded");
    if (model.users === 0) this.#watchIdle(model);
    await this.#memory.settle(model);
    this.#memory.released();
  }
}

const TASKS: Record<EngineTask, string> = {
  generate: "answer messages",
  transcribe: "write down speech",
  embed: "give embeddings",
};

function cannotDo(id: string, task: EngineTask): DeskhandError {
  return new DeskhandError("unsupported_input", `The model ${id} cannot ${TASKS[task]}. Name one that can; GET /v1/models lists what each of them does.`, { param: "model" });
}
