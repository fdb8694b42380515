import { access } from "node:fs/promises";

/** True when the path leads to something: a dangling symbolic link does not. */
export async function pathExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
