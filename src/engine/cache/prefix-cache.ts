import type { Architecture, Prompt } from "../models/architecture.js";
import { Session } from "./session.js";

/** Gives generations what they are remembered with, and takes it back: the latest is kept, and continued by a prompt that begins with it. */
export class PrefixCache implements Disposable {
  readonly #model: Architecture;
  #latest: Session | undefined;

  constructor(model: Architecture) {
    this.#model = model;
  }

  /** A session that holds as many of the prompt's rows as are cached: always fewer than the prompt has. */
  open(prompt: Prompt): Session {
    const session = this.#latest ?? new Session(this.#model.createCache());
    this.#latest = undefined;
    session.begin(prompt, this.#model);
    return session;
  }

  close(session: Session): void {
    this.#latest?.[Symbol.dispose]();
    this.#latest = session;
  }

  [Symbol.dispose](): void {
    this.#latest?.[Symbol.dispose]();
    this.#latest = undefined;
  }
}
