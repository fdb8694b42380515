/** What watching does where nothing is said. Light to import: the command shows it in its help. */

export const DEFAULT_QUESTION = "Say what you see now.";
/** The share of a picture that counts as a change. */
export const DEFAULT_CHANGE = 0.05;

export const WATCH_DEFAULTS = { question: DEFAULT_QUESTION, framesPerRequest: 1, maxTokens: 128 };
export const STREAM_DEFAULTS = { fps: 5, maxSidePx: 1280, stallMs: 10_000, retries: 10 };
