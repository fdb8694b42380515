/** A phase of the set-up that failed: what, an excerpt of its log, and the command that mends it. */
export class SetupError extends Error {
  /**
   * @param {string} message what was expected and what came
   * @param {{ mend?: string, log?: string, cause?: unknown }} [options] `mend`: what to do, in words or as a command
   */
  constructor(message, options = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SetupError";
    this.mend = options.mend;
    this.log = options.log;
  }
}
