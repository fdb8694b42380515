/** How often a line says that a long phase still runs, where the output is no terminal. */
const HEARTBEAT_MS = 15_000;

/**
 * Tells a person what the set-up does. Everything goes to stderr: stdout is for results.
 * On a terminal each phase has one live line; elsewhere it has a line at its start, at its end, and now and then between.
 */
export class Reporter {
  #stream;
  #live;
  #quiet;

  /** @param {{ stream?: NodeJS.WriteStream, quiet?: boolean }} [options] `quiet`: say nothing */
  constructor({ stream = process.stderr, quiet = false } = {}) {
    this.#quiet = quiet;
    this.#stream = stream;
    this.#live = stream.isTTY === true && !quiet;
  }

  note(text) {
    if (!this.#quiet) this.#stream.write(`${text}\n`);
  }

  /**
   * @template T
   * @param {string} title
   * @param {(progress: (text: string) => void) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async phase(title, work) {
    const start = performance.now();
    let detail = "";
    const seconds = () => `${((performance.now() - start) / 1000).toFixed(0)} s`;
    const draw = () => this.#stream.write(`\r\x1b[K${`${title} … ${detail} (${seconds()})`.slice(0, (this.#stream.columns ?? 80) - 1)}`);
    const timer = setInterval(() => (this.#live ? draw() : this.note(`  ${title}: ${detail || "still at it"} (${seconds()})`)), this.#live ? 1000 : HEARTBEAT_MS);
    if (this.#live) draw();
    else this.note(`${title} …`);
    try {
      const result = await work((text) => {
        detail = text;
        if (this.#live) draw();
      });
      this.note(`${this.#live ? "\r\x1b[K" : ""}${title}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
      return result;
    } catch (error) {
      this.note(`${this.#live ? "\r\x1b[K" : ""}${title}: failed after ${seconds()}`);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }
}

/** What a person reads when the set-up fails: what, an excerpt of the log, and what mends it. @param {Error & { log?: string, mend?: string }} error */
export function failureText(error) {
  const { message, log, mend } = error;
  const indent = (text) => text.replace(/^/gm, "  ");
  return ["", `The set-up failed: ${message}`, ...(log ? ["Its output:", indent(log)] : []), ...(mend ? ["To mend it:", indent(mend)] : []), ""].join("\n");
}
