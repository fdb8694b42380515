import { isDeskhandError, throwIfAborted } from "../../core/errors.js";
import { createLogger } from "../../core/log.js";
import type { FeatureCache } from "../cache/feature-cache.js";
import type { PrefixCache } from "../cache/prefix-cache.js";
import { rowsInCommon } from "../cache/prefix-tree.js";
import { asyncEval, disposeAll, scope, waitFor, type Fence, type Tensor } from "../mlx/index.js";
import type { Architecture } from "../models/architecture.js";
import { forward } from "./forward.js";
import { MemoryPlan } from "./memory-plan.js";
import { PREFILL_CHUNK, type Prefill } from "./prefill.js";
import { requireLength } from "./prompt-length.js";
import { Room, type MemoryHeld, type SchedulerCaches } from "./room.js";
import { tensorsOf } from "./sampler.js";
import { promptOf, Sequence, type Job } from "./sequence.js";

/** Rows of a prompt between two steps of the sequences that are decoding: a long prompt slows the others down, and does not stall them. */
const SHARED_CHUNK = 128;

const log = createLogger("scheduler");

/** Rows that are copied from the cache sooner than computed twice. */
const WORTH_WAITING = 64;

export interface SchedulerOptions extends SchedulerCaches {
  /** Most bytes in live tensors, unbounded when left out; and bytes of the model's weights in their files. */
  maxMemoryBytes?: number;
  weightBytes?: number;
}

/**
 * Runs any number of generations on one model at once. Sequences join and leave between steps: each step takes one row of every sequence
 * that decodes, and between two steps a piece of one prompt goes in, of each waiting prompt in turn.
 *
 * The forward pass after a token is dispatched before that token is read, so that the device does not wait for JavaScript; what is sampled
 * from that pass is decided once the token is known, so that samplers see every token before.
 */
export class Scheduler {
  readonly #model: Architecture;
  readonly #prefixes: PrefixCache;
  readonly #features: FeatureCache;
  readonly #room: Room | undefined;
  /** Sequences whose prompt is not through yet; the first is the next to get a piece in. */
  #filling: Sequence[] = [];
  #decoding: Sequence[] = [];
  /** Of tokens being computed. */
  #fences: Fence[] = [];
  /** Beginnings of prompts that are being read from the disk. */
  readonly #reading = new Set<Promise<void>>();
  #loop: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  /** The caches are for their owner to dispose of, after the scheduler has come to rest. */
  constructor(model: Architecture, { prefixes, features, maxMemoryBytes, weightBytes = 0 }: SchedulerOptions) {
    this.#model = model;
    this.#room = maxMemoryBytes === undefined ? undefined : new Room(new MemoryPlan(model, maxMemoryBytes, weightBytes), { prefixes, features });
    this.#prefixes = prefixes;
    this.#features = features;
  }

  /** How many generations are under way. */
  get running(): number {
    return this.#filling.length + this.#decoding.length;
  }

  /**
   * Runs a generation to its end: `stop` when the job took a token as its last, `length` when it had all it asked for or the context is full.
   * @throws DeskhandError `context_length_exceeded` and `out_of_memory` before any work, `cancelled` within one step of an abort.
   */
  async run(job: Job): Promise<"stop" | "length"> {
    requireLength(job.prompt.tokenIds.length, this.#model.contextLength);
    this.#room?.require(job.prompt);
    throwIfAborted(job.signal);
    const sequence = new Sequence(this.#model, job);
    this.#filling.push(sequence);
    const wake = (): void => this.wake();
    job.signal?.addEventListener("abort", wake, { once: true });
    this.#loop ??= this.#work();
    this.wake();
    try {
      return await sequence.ended;
    } finally {
      job.signal?.removeEventListener("abort", wake);
    }
  }

  /** What cannot be let go of now. */
  get memory(): MemoryHeld {
    return this.#room?.held(this.#begun().map(promptOf)) ?? { weightBytes: 0, runningBytes: 0 };
  }

  /** Another bound from now on. What is kept for later makes room at once; sequences that wait and cannot fit any more fail. */
  limitMemory(maxBytes: number): void {
    const room = this.#room;
    room?.limit(maxBytes);
    for (const sequence of this.#filling) if (sequence.isNew) this.#guard(sequence, () => room?.require(sequence.prompt));
    room?.make(this.#begun().map(promptOf));
    // There may be room for those that wait.
    this.wake();
  }

  /** To be called when a job that was not ready is so again. */
  wake(): void {
    this.#wake?.();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#loop !== undefined || this.#reading.size > 0) await Promise.all([this.#loop, ...this.#reading]);
  }

  async #work(): Promise<void> {
    // Jobs asked for at the same time start together.
    await Promise.resolve();
    while (this.running > 0) {
      this.#dropAborted();
      const ready = this.#decoding.filter((sequence) => sequence.isReady);
      if (ready.length > 0) await this.#step(ready);
      const next = this.#nextToFill();
      if (next !== undefined) await this.#fill(next, this.#decoding.length > 0 ? SHARED_CHUNK : PREFILL_CHUNK);
      else if (ready.length === 0 && this.running > 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    // Whoever was to read these has left.
    await this.#settled().catch(() => undefined);
    this.#loop = this.running > 0 ? this.#work() : undefined;
  }

  /** Resolves when every token that was dispatched is there. */
  async #settled(): Promise<void> {
    const fences = this.#fences;
    this.#fences = [];
    try {
      for (const fence of fences) await waitFor(fence);
    } finally {
      disposeAll(fences);
    }
  }

  /** One token of each sequence: dispatches the pass after it, reads it, and samples the next from that pass. */
  async #step(sequences: readonly Sequence[]): Promise<void> {
    let rows: Map<Sequence, Tensor> | undefined;
    try {
      rows = forward(this.#model, sequences.filter((sequence) => sequence.goesOn));
      await this.#settled();
    } catch (error) {
      // Whose rows it was that failed cannot be told.
      disposeAll(rows?.values() ?? []);
      for (const sequence of this.#decoding) this.#fail(sequence, error);
      return;
    }
    const going: { sequence: Sequence; logits: Tensor }[] = [];
    const outcomes = await Promise.all(sequences.map((sequence) => sequence.read(rows.has(sequence)).catch((error: unknown) => void this.#fail(sequence, error))));
    for (const [i, sequence] of sequences.entries()) {
      const logits = rows.get(sequence);
      const outcome = outcomes[i];
      if (outcome === "continues" && logits !== undefined) going.push({ sequence, logits });
      else {
        logits?.dispose();
        if (outcome === "continues") this.#startAnew(sequence);
        else if (outcome !== undefined) {
          sequence.resolve(outcome);
          this.#remove(sequence);
        }
      }
    }
    this.#sample(going);
  }

  /** The next token of each, dispatched together. */
  #sample(sequences: readonly { sequence: Sequence; logits: Tensor }[]): void {
    const made: Tensor[] = [];
    for (const { sequence, logits } of sequences) {
      sequence.pending = this.#guard(sequence, () => scope(() => sequence.sample(logits)));
      logits.dispose();
      if (sequence.pending !== undefined) made.push(...tensorsOf(sequence.pending));
    }
    if (made.length > 0) this.#fences.push(asyncEval(...made));
  }

  /** A piece of a prompt. */
  async #fill(sequence: Sequence, rows: number): Promise<void> {
    try {
      throwIfAborted(sequence.job.signal);
      const isReading = !sequence.hasBegun && this.#restore(sequence);
      const logits = isReading ? undefined : await (sequence.prefill ?? this.#begin(sequence)).step(rows);
      // Behind those that wait for their turn.
      this.#filling = this.#filling.filter((other) => other !== sequence);
      if (logits === undefined) this.#filling.push(sequence);
      else {
        sequence.filled();
        this.#prefixes.share(sequence.session);
        this.#decoding.push(sequence);
        this.#sample([{ sequence, logits }]);
      }
    } catch (error) {
      this.#fail(sequence, error);
    }
  }

  /** The first that has begun, or may begin and has room to; those who wait for room are not overtaken by others that wait. */
  #nextToFill(): Sequence | undefined {
    const waiting = this.#filling.find((sequence) => !sequence.hasBegun && !this.#isReading(sequence) && !this.#follows(sequence));
    return this.#filling.find((sequence) => sequence.hasBegun || (sequence === waiting && this.#hasRoom(sequence)));
  }

  /** Whether another one is computing rows that this one can have from the cache soon: the same question asked several times is read once. */
  #follows(sequence: Sequence): boolean {
    const { prompt } = sequence;
    return this.#filling.some((other) => other !== sequence && (other.hasBegun || this.#isReading(other)) && rowsInCommon(other.prompt, prompt) - other.cachedRows >= WORTH_WAITING);
  }

  #isReading({ restoring }: Sequence): boolean {
    return restoring !== undefined && this.#reading.has(restoring);
  }

  /** Whether a sequence fits beside those that run; what is kept for later prompts makes room. */
  #hasRoom(sequence: Sequence): boolean {
    const running = this.#begun().filter((other) => other !== sequence);
    return this.#room?.admits(sequence.prompt, running.map(promptOf)) ?? true;
  }

  /** Those that take memory, or are about to. */
  #begun(): Sequence[] {
    return [...this.#filling, ...this.#decoding].filter(({ hasBegun, restoring }) => hasBegun || restoring !== undefined);
  }

  /** Begins to read what the disk has of a prompt, once, while others go on. @returns whether it does. */
  #restore(sequence: Sequence): boolean {
    const { prompt } = sequence;
    const saved = sequence.restoring === undefined ? this.#prefixes.onDisk(prompt) : undefined;
    if (saved === undefined) return false;
    const take = async (): Promise<void> => {
      // What cannot be read is computed.
      const restored = await this.#prefixes.restore(prompt, saved, sequence.job.signal).catch(() => undefined);
      if (restored !== undefined && this.#filling.includes(sequence)) sequence.restored = restored;
      else if (restored !== undefined) this.#prefixes.abandon(restored);
    };
    const reading = take().finally(() => {
      this.#reading.delete(reading);
      this.wake();
    });
    sequence.restoring = reading;
    this.#reading.add(reading);
    return true;
  }

  #begin(sequence: Sequence): Prefill {
    const { prompt, restored } = sequence;
    sequence.restored = undefined;
    return sequence.begin(this.#prefixes.open(prompt, restored), { marks: this.#prefixes.marksOf(prompt), features: this.#features });
  }

  /** With its latest token a sequence has crossed the model's `lengthBorder`: all its rows are other ones from here on. */
  #startAnew(sequence: Sequence): void {
    this.#remove(sequence);
    this.#filling.push(sequence);
  }

  #dropAborted(): void {
    for (const sequence of [...this.#filling, ...this.#decoding]) this.#guard(sequence, () => throwIfAborted(sequence.job.signal));
  }

  /** Runs what concerns one sequence alone; `undefined` when it fails, and the sequence with it. */
  #guard<T>(sequence: Sequence, body: () => T): T | undefined {
    try {
      return body();
    } catch (error) {
      this.#fail(sequence, error);
      return undefined;
    }
  }

  /** After an abort the caches are as good as before it; after any other failure nobody knows what they hold. */
  #fail(sequence: Sequence, error: unknown): void {
    sequence.reject(error);
    this.#remove(sequence, isDeskhandError(error, "cancelled"));
  }

  /** Lets go of what a sequence was remembered with. Whatever becomes of that, its caller has been told how it ended, and the others go on. */
  #remove(sequence: Sequence, isSound = true): void {
    this.#filling = this.#filling.filter((other) => other !== sequence);
    this.#decoding = this.#decoding.filter((other) => other !== sequence);
    if (sequence.restored !== undefined) attempt(() => this.#prefixes.abandon(sequence.restored!));
    if (!sequence.hasBegun) return;
    const { session } = sequence;
    const isKept = attempt(() => sequence.release()) && isSound && attempt(() => this.#prefixes.close(session));
    if (!isKept) attempt(() => this.#prefixes.discard(session));
    attempt(() => this.#room?.make(this.#begun().map(promptOf)));
  }
}

function attempt(what: () => unknown): boolean {
  try {
    what();
    return true;
  } catch (error) {
    log.warn({ err: error }, "what a generation left behind could not be kept");
    return false;
  }
}
