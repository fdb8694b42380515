import { totalmem } from "node:os";

/** The machine's memory, or what its container may use of it. */
export function memoryBytes(): number {
  // Without a container's bound this is 0, or larger than any memory.
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}
