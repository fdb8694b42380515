// `node --import ./test/support/run-typescript.mjs file.ts`: runs the project's TypeScript sources in a plain Node process, for
// tests that need a process of their own to kill. Type checking is the linter's business.
import { register } from "node:module";

register("./typescript-hooks.mjs", import.meta.url);
