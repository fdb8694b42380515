import { fork, type ChildProcess } from "node:child_process";
import { DeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";
import type { OnProgress } from "../../core/progress.js";
import type { CallOptions, ModelInfo } from "../inference.js";
import type { SimpleEngineOptions } from "../simple-engine.js";
import { EventQueue } from "./event-queue.js";
import { hasPictures, KnownPictures } from "./known-pictures.js";
import { fromPlainError, type Call, type CallEvent, type CallName, type Calls, type FromEngine, type ToEngine } from "./protocol.js";

/** An engine told to stop may be within one long step. */
const STOP_TIMEOUT_MS = 5_000;

export interface EngineProcessOptions extends SimpleEngineOptions {
  model: string;
  /** The compiled program of the process. */
  program: URL;
  onProgress?: OnProgress;
}

/** A call under way. */
interface Running {
  events: EventQueue<CallEvent>;
  /** Pictures that the engine may ask for. */
  held?: ReadonlyMap<string, Uint8Array>;
}

/** One life of the engine's process: a model is loaded in it, calls are answered, it ends. */
export class EngineProcess {
  /** Resolves when the model is loaded; rejects as loading does, or when the process ends before. */
  readonly loaded: Promise<ModelInfo>;
  /** Resolves when the process has ended, however that came. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, Running>();
  readonly #pictures = new KnownPictures();
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
        else if (message.type === "seen") this.#pictures.add(message.sha256);
        else if (message.type === "want") this.#hand(message);
        else if (message.type === "event") this.#calls.get(message.id)?.events.push(message.event);
        else this.#calls.get(message.id)?.events.end(message.type === "error" ? fromPlainError(message.error) : undefined);
      });
      void gone.then(reject);
    });
    // Whoever waits for it hears of a failure; whoever only watches for the end must not hear of it as unhandled.
    this.loaded.catch(() => undefined);
    this.ended = gone.then((error) => {
      for (const { events } of [...this.#calls.values()]) events.end(error);
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
    this.#calls.set(id, { events });
    signal?.addEventListener("abort", cancel, { once: true });
    const call = { type: "call", id, name, request } as Call;
    if ((call.name === "generate" || call.name === "promptTokens") && hasPictures(call.request)) void this.#sendLinked(call, signal);
    else this.#send(call);
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

  /** Sends a call whose pictures go by digest where the engine knows them. */
  async #sendLinked(call: Extract<Call, { name: "generate" | "promptTokens" }>, signal: AbortSignal | undefined): Promise<void> {
    try {
      const { request, held } = await this.#pictures.link(call.request);
      // What the engine has not heard of it cannot cancel.
      throwIfAborted(signal);
      const running = this.#calls.get(call.id);
      // Its reader has left, or the process is gone.
      if (running === undefined) return;
      running.held = held;
      this.#send({ ...call, request });
    } catch (error) {
      this.#calls.get(call.id)?.events.end(error as Error);
    }
  }

  #hand({ number, id, sha256 }: Extract<FromEngine, { type: "want" }>): void {
    const bytes = this.#calls.get(id)?.held?.get(sha256);
    if (bytes !== undefined) this.#send({ type: "picture", number, bytes });
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
