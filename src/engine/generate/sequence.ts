import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { Session } from "../cache/session.js";
import { disposeAll, type Tensor } from "../mlx/index.js";
import type { Architecture, Prompt } from "../models/architecture.js";
import { Prefill, type PrefillOptions } from "./prefill.js";
import { readSampled, tensorsOf, type Sampled, type TokenChoice } from "./sampler.js";

/** What picks one sequence's tokens. */
export interface TokenSampler {
  /** logits `[1, V]` → the next token. Every token before has been accepted. */
  sample(logits: Tensor): Sampled;
  /** Takes note of a token. Resolves when the next can be sampled. */
  accept(id: number): Promise<void>;
  /** Nothing may come after the token accepted last. */
  readonly ended: boolean;
}

/** A generation as its caller describes it. */
export interface Job {
  prompt: Prompt;
  sampler: TokenSampler;
  maxTokens: number;
  signal?: AbortSignal;
  /** Told before the prompt runs how many of its rows the cache has already. */
  onPrefill?: (cachedRows: number) => void;
  /** Takes the tokens in order; false: this one is the last. */
  onToken: (token: TokenChoice) => boolean;
  /** Whether it takes another token now; a reader that has fallen behind does not, and the others go on without it. */
  isReady?: () => boolean;
}

/** One generation under way. */
export class Sequence {
  readonly job: Job;
  readonly ended: Promise<"stop" | "length">;
  resolve: (reason: "stop" | "length") => void = () => undefined;
  reject: (error: unknown) => void = () => undefined;
  /** The prompt, and what was generated. */
  readonly ids: number[];
  /** The next token, being computed. */
  pending: Sampled | undefined;
  /** Position of the next row. */
  position = 0;
  /** The prompt's beginning from the disk: being read, read and kept for it, or of no use. */
  restoring: Promise<void> | undefined;
  restored: Session | undefined;
  readonly #model: Architecture;
  readonly #budget: number;
  #session: Session | undefined;
  #prefill: Prefill | undefined;
  #wasTold = false;
  #cachedRows = 0;

  constructor(model: Architecture, job: Job) {
    this.job = job;
    this.ids = [...job.prompt.tokenIds];
    this.#model = model;
    this.#budget = Math.min(job.maxTokens, model.contextLength - this.ids.length);
    this.ended = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** What is to run before the next token: the prompt, and what was generated where the sequence starts anew. */
  get prompt(): Prompt {
    return { tokenIds: this.ids, media: this.job.prompt.media };
  }

  /** Whether nothing has come of it yet, its beginning included. */
  get isNew(): boolean {
    return !this.#wasTold && this.restoring === undefined;
  }

  get prefill(): Prefill | undefined {
    return this.#prefill;
  }

  get hasBegun(): boolean {
    return this.#session !== undefined;
  }

  /** Rows of the prompt that the cache had when it began. */
  get cachedRows(): number {
    return this.#cachedRows;
  }

  get session(): Session {
    if (this.#session === undefined) throw new DeskhandError("internal", "Expected the sequence to have begun.");
    return this.#session;
  }

  get isReady(): boolean {
    return this.job.isReady?.() ?? true;
  }

  /** Whether another row follows the token being computed: not after the last, and not where all rows have to be computed anew with it. */
  get goesOn(): boolean {
    return !this.#isLast && this.ids.length !== this.#model.lengthBorder;
  }

  get #isLast(): boolean {
    return this.ids.length + 1 >= this.job.prompt.tokenIds.length + this.#budget;
  }

  /** @param session holds the beginning of the prompt. */
  begin(session: Session, options: PrefillOptions): Prefill {
    this.#session = session;
    this.#cachedRows = session.length;
    if (!this.#wasTold) this.job.onPrefill?.(session.length);
    this.#wasTold = true;
    return (this.#prefill = new Prefill(this.#model, this.prompt, session, options));
  }

  /** The prompt is through. */
  filled(): void {
    this.position = this.#prefill!.next;
    this.#prefill?.[Symbol.dispose]();
    this.#prefill = undefined;
  }

  /** Reads the token that has been computed and hands it on. @param isForwarded its row is in the caches, or on the way there. */
  async read(isForwarded: boolean): Promise<"continues" | "stop" | "length"> {
    const isLast = this.#isLast;
    const token = readSampled(this.pending!);
    this.#letGo();
    this.ids.push(token.id);
    if (isForwarded) this.session.append([token.id]);
    throwIfAborted(this.job.signal);
    await this.job.sampler.accept(token.id);
    throwIfAborted(this.job.signal);
    if (!this.job.onToken(token) || this.job.sampler.ended) return "stop";
    return isLast ? "length" : "continues";
  }

  sample(logits: Tensor): Sampled {
    return this.job.sampler.sample(logits);
  }

  /** Gives the session back, holding the rows of the tokens read and nothing more. */
  release(): Session {
    const { session } = this;
    this.#letGo();
    this.#prefill?.[Symbol.dispose]();
    this.#prefill = this.#session = undefined;
    session.settle();
    return session;
  }

  #letGo(): void {
    if (this.pending !== undefined) disposeAll(tensorsOf(this.pending));
    this.pending = undefined;
  }
}

export function promptOf({ prompt }: Sequence): Prompt {
  return prompt;
}
