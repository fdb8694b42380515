import { fork, type ChildProcess } from "node:child_process";
import { DeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";
import type { OnProgress } from "../../core/progress.js";
import type { CallOptions, ModelInfo } from "../inference.js";
import type { SimpleEngineOptions } from "../simple-engine.js";
import { EventQueue } from "./event-queue.js";
import { fromPlainError, type Call, type CallEvent, type CallName, type Calls, type FromEngine, type ToEngine } from "./protocol.js";

/** An engine told to stop may be within one long step. */
const STOP_TIMEOUT_MS = 5_000;

export interface EngineProcessOptions extends SimpleEngineOptions {
  model: string;
  /** The compiled program of the process. */
  program: URL;
  onProgress?: OnProgress;
}

/** One life of the engine's process: a model is loaded in it, calls are answered, it ends. */
export class EngineProcess {
  /** Resolves when the model is loaded; rejects as loading does, or when the process ends before. */
  readonly loaded: Promise<ModelInfo>;
  /** Resolves when the process has ended, however that came. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, EventQueue<CallEvent>>();
  #nextId = 1;

  constructor({ model, program, onProgress, ...options }: EngineProcessOptions) {
    // This process's own flags (`-e CODE`, a debugger's port, a loader) are not for its child.
    this.#child = fork(program, { execArgv: [], serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const gone = new Promise<DeskhandError>((resolve) => {
      this.#child.once("error", (cause) => resolve(unavailable(`could not be started (${messageOf(cause)})`, cause)));
      this.#child.once("exit", (status, killedBy) => resolve(unavailable(killedBy === null ? `ended with exit code ${status}` : `was ended by ${killedBy}`)));
    });
    this.loaded = new Promise((resolve, reject) => {
      this.#child.on("message", (message: FromEngine) => {
        if (message.type === "ready") resolve(message.info);
        else if (message.type === "failed") reject(fromPlainError(message.error));
        else if (message.type === "progress") onProgress?.(message.progress);
        else if (message.type === "event") this.#calls.get(message.id)?.push(message.event);
        else this.#calls.get(message.id)?.end(message.type === "error" ? fromPlainError(message.error) : undefined);
      });
      void gone.then(reject);
    });
    // Whoever waits for it hears of a failure; whoever only watches for the end must not hear of it as unhandled.
    this.loaded.catch(() => undefined);
    this.ended = gone.then((error) => {
      for (const events of [...this.#calls.values()]) events.end(error);
    });
    this.#send({ type: "start", model, options });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  call<Name extends CallName>(name: Name, request: Calls[Name]["request"], { signal }: CallOptions = {}): AsyncIterable<Calls[Name]["event"]> {
    throwIfAborted(signal);
    const id = this.#nextId++;
    const cancel = (): void => this.#send({ type: "cancel", id });
    const events = new EventQueue<CallEvent>({
      onLeave: cancel,
      onEnd: () => {
        signal?.removeEventListener("abort", cancel);
        this.#calls.delete(id);
      },
    });
    this.#calls.set(id, events);
    signal?.addEventListener("abort", cancel, { once: true });
    this.#send({ type: "call", id, name, request } as Call);
    return events as AsyncIterable<Calls[Name]["event"]>;
  }

  /** Asks it to end, and ends it where it does not. */
  async stop(): Promise<void> {
    this.#send({ type: "stop" });
    const timer = setTimeout(() => this.kill(), STOP_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #send(message: ToEngine): void {
    // A process that has just gone cannot be told; its end ends what was under way.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}

/** @param how what the process did, after "The engine's process". */
export function unavailable(how: string, cause?: unknown): DeskhandError {
  return new DeskhandError("engine_unavailable", `The engine's process ${how}. A lost one is started again by itself: try once more in a moment.`, { cause });
}
