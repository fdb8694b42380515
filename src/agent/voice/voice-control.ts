import type { AgentResult } from "../agent.js";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { anyApprover, type Approver } from "../safety/approver.js";
import { RunController } from "../safety/run-controller.js";
import { controlIn, toTask } from "./commands.js";
import { cut, RATE } from "./samples.js";
import type { Segmenter } from "./segmenter.js";
import type { SoundSource } from "./sound-source.js";
import type { Speaker } from "./speaker.js";
import { SpokenApprover } from "./spoken-approver.js";
import type { Transcribe } from "./transcription.js";

/** What happens, for people. */
export type VoiceEvent =
  | { type: "heard"; text: string }
  /** Something was loud, but nobody said a word. */
  | { type: "noise" }
  /** `muted`: not even noise, only zeros. */
  | { type: "quiet"; muted: boolean }
  | { type: "task"; task: string }
  | { type: "question"; text: string }
  /** It is no answer and no command, and the agent is at work. */
  | { type: "busy"; text: string }
  | { type: "control"; control: "stop" | "end" }
  /** Because it was said, or because the mouse was moved by a person: nothing is done until "continue" is heard. */
  | { type: "paused"; reason: string }
  | { type: "resumed" }
  | { type: "result"; result: AgentResult }
  | { type: "failed"; message: string };

export interface VoiceControlOptions {
  /** Does a task; stops by the signal and by the controller, and asks the approver. */
  work: (task: string, hold: { signal: AbortSignal; controller: RunController; approver: Approver }) => Promise<AgentResult>;
  transcribe: Transcribe;
  segmenter: Segmenter & { heardSound?: boolean };
  speaker?: Speaker;
  /** Takes hold of the runs from elsewhere too, e.g. from a live page; one of its own unless given. */
  controller?: RunController;
  /** Another way to the person who is asked aloud: the first answer counts. */
  approver?: Approver;
  onEvent?: (event: VoiceEvent) => void;
}

/** After so long without a word people are told. */
const QUIET_S = 15;

/** Listens all the time: what it hears is a task, an answer, or a word that takes hold of the run that is under way. */
export class VoiceControl {
  readonly #options: VoiceControlOptions;
  readonly #controller: RunController;
  readonly #spoken: SpokenApprover;
  readonly #approver: Approver;
  readonly #over = new AbortController();
  #running: { abort: AbortController; done: Promise<void> } | undefined;
  #allSucceeded = true;
  #failure: unknown;

  constructor(options: VoiceControlOptions) {
    this.#options = options;
    this.#controller = options.controller ?? new RunController();
    const askAloud = (text: string) => {
      this.#tell({ type: "question", text });
      void options.speaker?.say(text);
    };
    this.#spoken = new SpokenApprover(askAloud, { isOnlyWay: options.approver === undefined });
    this.#approver = options.approver ? anyApprover([this.#spoken, options.approver]) : this.#spoken;
  }

  /** Works until the source ends, "stop listening" is heard, or the signal aborts. @returns whether every task succeeded. @throws DeskhandError when the source or the server fails, or a recording holds no speech. */
  async run(source: SoundSource, signal?: AbortSignal): Promise<boolean> {
    const ended = AbortSignal.any([this.#over.signal, ...(signal ? [signal] : [])]);
    using _pauses = this.#tellPauses();
    // Whoever says stop, and wherever, wants no more words.
    using _stops = this.#controller.onStop(() => this.#options.speaker?.hush());
    const onEnd = (): void => {
      this.#stop("the session ends");
      void source[Symbol.asyncDispose]();
    };
    ended.addEventListener("abort", onEnd, { once: true });
    if (ended.aborted) onEnd();
    try {
      await this.#listen(source, ended);
      this.#spoken.leave();
      await this.#running?.done;
    } catch (error) {
      // What is cut off in its middle because of the end is no failure.
      if (!ended.aborted || error === this.#failure) throw error;
    } finally {
      ended.removeEventListener("abort", onEnd);
      this.#stop("the session ends");
      await this.#running?.done;
    }
    return this.#allSucceeded && signal?.aborted !== true;
  }

  /** As if it had been said. */
  say(text: string): void {
    if (text.trim() !== "") this.#take(text.trim());
  }

  async #listen(source: SoundSource, ended: AbortSignal): Promise<void> {
    const { segmenter } = this.#options;
    let heard = 0;
    let samples = 0;
    let told = false;
    let last: Promise<void> = Promise.resolve();
    // A live source is read while earlier words are written down: recorders lose what nobody reads.
    const hear = async (speech: Int16Array): Promise<void> => {
      const beganMs = performance.now() - (speech.length / RATE) * 1000;
      heard += 1;
      last = last.then(() => this.#hear(speech, beganMs, ended));
      if (source.live) last.catch((error: unknown) => this.#fail(error));
      else {
        await last;
        await this.#running?.done;
      }
    };
    for await (const part of source.samples) {
      // However large the pieces that come: what is loud behind the first seconds says nothing about them.
      for (const piece of cut(part, QUIET_S * RATE - samples)) {
        samples += piece.length;
        for (const speech of segmenter.push(piece)) await hear(speech);
        if (told || heard > 0 || !source.live || samples < QUIET_S * RATE) continue;
        told = true;
        this.#tell({ type: "quiet", muted: segmenter.heardSound === false });
      }
      if (ended.aborted) break;
    }
    for (const speech of segmenter.end()) await hear(speech);
    await last;
    if (heard === 0 && !source.live) {
      throw new DeskhandError("unsupported_input", `Expected speech in ${source.name} but it holds ${segmenter.heardSound === false ? "nothing but silence" : "nothing as loud as speech beside its noise"}. Listen to it, or record it again.`);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#over.abort();
  }

  async #hear(speech: Int16Array, beganMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const own = this.#options.speaker?.hasSpokenSince(beganMs) === true;
    const text = await this.#options.transcribe(speech, signal);
    if (text === "") return this.#tell({ type: "noise" });
    // The system's own voice comes back through the microphone: only a stop counts then.
    if (own && controlIn(text) !== "stop") return;
    this.#tell({ type: "heard", text });
    this.#take(text);
  }

  #take(text: string): void {
    const control = controlIn(text);
    if (control === "end") {
      this.#tell({ type: "control", control });
      this.#over.abort();
    } else if (control === "stop") {
      this.#tell({ type: "control", control });
      this.#stop(`"${text}" was said`);
    } else if (this.#spoken.answer(text)) return;
    else if (this.#running === undefined) {
      if (control === undefined) this.#start(toTask(text));
    } else if (control === undefined) this.#tell({ type: "busy", text });
    else if (control === "pause") this.#controller.pause(`"${text}" was said.`);
    else this.#controller.resume();
  }

  /** A run that stands still without a word looks like one that hangs. */
  #tellPauses(): Disposable {
    let paused = false;
    return this.#controller.onChange(({ mode, reason = "" }) => {
      if (mode === "paused") this.#tell({ type: "paused", reason });
      else if (paused) this.#tell({ type: "resumed" });
      paused = mode === "paused";
    });
  }

  #start(task: string): void {
    const abort = new AbortController();
    this.#tell({ type: "task", task });
    // A pause lasts across runs; a new task is a reason to go on.
    this.#controller.resume();
    this.#running = { abort, done: this.#work(task, abort.signal) };
  }

  async #work(task: string, signal: AbortSignal): Promise<void> {
    try {
      const result = await this.#options.work(task, { signal, controller: this.#controller, approver: this.#approver });
      this.#running = undefined;
      this.#allSucceeded &&= result.success;
      this.#tell({ type: "result", result });
      // Whoever said stop knows.
      if (!signal.aborted && result.stop !== "person") void this.#options.speaker?.say(result.answer ?? result.reason);
    } catch (error) {
      this.#running = undefined;
      this.#allSucceeded = false;
      this.#tell({ type: "failed", message: messageOf(error) });
    }
  }

  #stop(reason: string): void {
    // The controller tells the run who stopped it; the signal reaches one that is still being prepared.
    this.#controller.stop(reason);
    this.#running?.abort.abort(new Error(reason));
  }

  #tell(event: VoiceEvent): void {
    this.#options.onEvent?.(event);
  }
}
