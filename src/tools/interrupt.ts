const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Turns the first Ctrl-C (or SIGTERM, SIGHUP) into an abort, so that a command can clean up; the next one takes its usual effect and
 * ends the process at once. Dispose it when the command is over.
 */
export function abortOnSignals(): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const stopListening = () => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  const onSignal = (name: (typeof SIGNALS)[number]) => {
    controller.abort(new Error(name));
    // Not at once: other listeners of this very signal look whether somebody handles it.
    setImmediate(stopListening);
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return { signal: controller.signal, [Symbol.dispose]: stopListening };
}
