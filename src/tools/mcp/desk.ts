import type { ActOptions } from "../../agent/act-safely.js";
import type { Approver } from "../../agent/safety/approver.js";
import { Capabilities } from "../../agent/safety/capabilities.js";
import type { CapabilityFile } from "../../agent/safety/capability-file.js";
import { discreetApprover } from "../../agent/safety/discreet-approver.js";
import { HiddenParts } from "../../agent/safety/hidden-parts.js";
import { guardRun } from "../../agent/safety/prepare.js";
import { SafetyKernel, type Confirm } from "../../agent/safety/safety-kernel.js";
import type { Secrets } from "../../agent/safety/secrets.js";
import type { OpenedComputer } from "../../agent/computer/index.js";
import { Interrupter, Interruption, type Ending } from "../../agent/stop.js";
import { DeskhandError } from "../../core/errors.js";
import { Mutex } from "../../core/semaphore.js";

/** A desktop as `run_task` and the action tools share it. */
export type OpenDesk = Pick<OpenedComputer, "computer" | "displayName" | "close">;

export interface DeskOptions {
  /** Opens the desktop, the first time it is needed. */
  open(signal: AbortSignal): Promise<OpenDesk>;
  confirm: Confirm;
  capabilities?: CapabilityFile | undefined;
  /** Those that clients may have typed. */
  secrets: Secrets;
  stopKeys: string;
  /** After so long without a call a session loses the mouse, and everything it holds is let go of. */
  idleMs: number;
}

/** Whoever uses the mouse: one connection of a client. */
export interface Holder {
  /** For others who are told who has it. */
  readonly name: string;
  readonly approver: Approver | undefined;
}

/** Mouse and keyboard in the hands of one session, with all that a person can stop it by. */
export type Hold = ActOptions;

interface OwnHold extends Hold, AsyncDisposable {
  interrupter: Interrupter;
}

/** The one desktop of a server. Any session may look; one at a time has mouse and keyboard. */
export class Desk implements AsyncDisposable {
  readonly #options: DeskOptions;
  readonly #closing = new AbortController();
  readonly #oneCall = new Mutex();
  #opened: Promise<OpenDesk> | undefined;
  #holder: Holder | undefined;
  #hold: OwnHold | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** Why nothing is done any more. */
  #stopped: string | undefined;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** Aborts when the server ends. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** The desktop, opened when it is first needed. */
  async look(): Promise<OpenDesk> {
    this.#opened ??= this.#options.open(this.signal);
    // A desktop that could not be opened may be there at the next try.
    this.#opened.catch(() => (this.#opened = undefined));
    return this.#opened;
  }

  /**
   * Mouse and keyboard for one call: those of a session come after each other, and other sessions are refused until it lets go.
   * @throws DeskhandError `desktop_busy`, `forbidden` after a person's stop, `cancelled`; what `work` throws, when everything has been let go of.
   */
  async act<T>(holder: Holder, signal: AbortSignal, work: (hold: Hold) => Promise<T>): Promise<T> {
    return this.#alone(holder, signal, async () => {
      const hold = (this.#hold ??= await this.#begin(holder));
      const either = AbortSignal.any([signal, hold.signal]);
      try {
        return await work({ ...hold, signal: either });
      } catch (error) {
        if (error instanceof Interruption) hold.interrupter.interrupt(error);
        // Nobody knows when what is held would be released now.
        await hold.computer.releaseAll();
        hold.kernel.released();
        this.#assertNotStopped();
        throw error;
      }
    });
  }

  /** The desktop for a run that brings its own guards. */
  async lend<T extends Pick<Ending, "stop" | "reason">>(holder: Holder, signal: AbortSignal, run: (opened: OpenDesk) => Promise<T>): Promise<T> {
    return this.#alone(holder, signal, async () => {
      await this.#end();
      const result = await run(await this.look());
      this.#noteStop(result.stop, result.reason);
      return result;
    });
  }

  /** Lets go of everything a session holds. */
  async release(holder: Holder): Promise<void> {
    if (this.#holder !== holder) return;
    using _turn = await this.#turn();
    await this.#letGo();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("the server ends"));
    using _turn = await this.#turn();
    await this.#letGo();
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.close();
  }

  async #alone<T>(holder: Holder, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    this.#assertFree(holder);
    this.#holder = holder;
    clearTimeout(this.#idle);
    try {
      using _turn = await this.#turn(signal);
      // Meanwhile it may have been taken away, given to another session, or stopped.
      this.#assertFree(holder);
      this.#holder = holder;
      return await work();
    } finally {
      clearTimeout(this.#idle);
      this.#idle = setTimeout(() => void this.release(holder), this.#options.idleMs).unref();
    }
  }

  #assertFree(holder: Holder): void {
    if (this.signal.aborted) throw new DeskhandError("cancelled", "The server is ending.");
    this.#assertNotStopped();
    if (this.#holder !== undefined && this.#holder !== holder) throw new DeskhandError("desktop_busy", `Expected mouse and keyboard to be free but ${this.#holder.name} has them. Try again when it is done; looking is possible meanwhile.`);
  }

  #assertNotStopped(): void {
    if (this.#stopped !== undefined) throw new DeskhandError("forbidden", `Expected to be allowed to act but a person said stop: ${this.#stopped} Nothing more is done until this server is started again. Tell the user, and do not look for another way.`);
  }

  async #turn(signal?: AbortSignal): Promise<Disposable> {
    const release = await this.#oneCall.acquire(signal);
    return { [Symbol.dispose]: release };
  }

  async #begin({ approver }: Holder): Promise<OwnHold> {
    const { computer } = await this.look();
    const { confirm, capabilities, secrets, stopKeys } = this.#options;
    const interrupter = new Interrupter([this.signal]);
    interrupter.signal.addEventListener("abort", () => {
      const reason: unknown = interrupter.signal.reason;
      if (reason instanceof Interruption) this.#noteStop(reason.stop, reason.message);
      // Between two calls nobody else would.
      void computer.releaseAll();
    });
    const hidden = new HiddenParts("place");
    const kernel = new SafetyKernel({ computer, confirm, capabilities: capabilities && new Capabilities(capabilities), approver: approver && discreetApprover(approver, secrets, hidden) });
    const watched = await guardRun({ controller: undefined, stopKeys, maxTokens: undefined, dryRun: false }, computer, interrupter);
    return { ...watched, kernel, computer, secrets, hidden, interrupter, signal: interrupter.signal };
  }

  /** Ends the guards; what is held is released with them. */
  async #end(): Promise<void> {
    const hold = this.#hold;
    this.#hold = undefined;
    if (!hold) return;
    await hold.computer.releaseAll();
    await hold[Symbol.asyncDispose]();
    hold.interrupter[Symbol.dispose]();
  }

  async #letGo(): Promise<void> {
    clearTimeout(this.#idle);
    this.#holder = undefined;
    await this.#end();
  }

  #noteStop(stop: Ending["stop"], reason: string): void {
    if (stop === "person" || stop === "failsafe") this.#stopped ??= reason;
  }
}
