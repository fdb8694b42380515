import { onExit } from "signal-exit";

/**
 * Runs `release` when this process ends by `process.exit`, an uncaught error, an empty event loop, or a signal that nobody else
 * handles (SIGINT, SIGTERM, SIGHUP and the like; the signal then takes its usual effect). It must be synchronous. A program with a
 * handler of its own for a signal is expected to close its computers there. For SIGKILL there is the watchdog.
 * @returns a function that takes the guard away again.
 */
export function guardExit(release: () => void): () => void {
  return onExit(() => {
    try {
      release();
    } catch {
      // The process is going: the watchdog, which sees it go, releases what this could not.
    }
  });
}
