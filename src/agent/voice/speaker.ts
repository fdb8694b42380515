import { spawn } from "node:child_process";
import { findSystemVoice } from "../../core/system-voice.js";

/** A voice for replies. */
export interface Speaker {
  /** Says it after what it is saying, and resolves when that is over; never rejects. */
  say(text: string): Promise<void>;
  /** Whether it has spoken since then (milliseconds of `performance.now`): a microphone hears it too. */
  hasSpokenSince(atMs: number): boolean;
  /** Silence, now. */
  hush(): void;
}

/** The system's voice; undefined where there is none. */
export function systemSpeaker(): Speaker | undefined {
  const voice = findSystemVoice();
  return voice && new ProgramSpeaker(voice.program, voice.aloud);
}

class ProgramSpeaker implements Speaker {
  #last: Promise<void> = Promise.resolve();
  #current: AbortController | undefined;
  #endedMs = -Infinity;

  constructor(
    readonly program: string,
    readonly args: readonly string[],
  ) {}

  say(text: string): Promise<void> {
    this.#last = this.#last.then(() => this.#sayNow(text));
    return this.#last;
  }

  hasSpokenSince(atMs: number): boolean {
    return this.#current !== undefined || this.#endedMs >= atMs;
  }

  hush(): void {
    this.#current?.abort();
  }

  #sayNow(text: string): Promise<void> {
    const current = new AbortController();
    this.#current = current;
    return new Promise((resolve) => {
      const child = spawn(this.program, this.args, { stdio: ["pipe", "ignore", "ignore"], signal: current.signal });
      const end = (): void => {
        if (this.#current === current) this.#current = undefined;
        this.#endedMs = performance.now();
        resolve();
      };
      // A voice that fails is no reason to stop: what it says stands in the terminal as well.
      child.on("error", end);
      child.on("close", end);
      child.stdin.on("error", () => undefined);
      child.stdin.end(`${text}\n`);
    });
  }
}
