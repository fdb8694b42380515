// `npm run bench`, `bench:agent`, `bench:server` and `soak [-- …]`: the programs of bench/ by name. Sets the checkout up first.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureReady } from "./setup/ensure-ready.js";
import { ROOT } from "./setup/paths.js";

const [program, ...args] = process.argv.slice(2);
// The agent is measured in the tests' own applications.
await ensureReady({ for: program === "agent" ? "test" : "start" });
process.on("SIGINT", () => undefined); // the program gets it too, and says what it has measured
const { status } = spawnSync(process.execPath, ["--import", "tsx", join(ROOT, "bench", `${program}.ts`), ...args], { cwd: ROOT, stdio: "inherit" });
process.exitCode = status ?? 1;
