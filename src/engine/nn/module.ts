/** Disposes modules in any nesting: arrays and disposables; other values are passed over. */
export function disposeModules(...modules: unknown[]): void {
  for (const module of modules) {
    if (Array.isArray(module)) disposeModules(...(module as unknown[]));
    else if (isDisposable(module)) module[Symbol.dispose]();
  }
}

function isDisposable(value: unknown): value is Disposable {
  return typeof value === "object" && value !== null && Symbol.dispose in value;
}
