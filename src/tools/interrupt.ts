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

/** Aborts when whoever reads stdout has gone. */
export function watchStdout(): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const onError = (error: Error) => controller.abort(error);
  process.stdout.on("error", onError);
  return { signal: controller.signal, [Symbol.dispose]: () => process.stdout.off("error", onError) };
}
