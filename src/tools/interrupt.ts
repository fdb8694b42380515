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
    if (!controller.signal.aborted) return controller.abort(new Error(name));
    stopListening();
    process.kill(process.pid, name);
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return { signal: controller.signal, [Symbol.dispose]: stopListening };
}
