// `npm run bench`, `bench:agent`, `bench:server` and `soak [-- …]`: the programs of bench/ by name. Sets the checkout up first.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureReady } from "./setup/ensure-ready.js";
import { ROOT } from "./setup/paths.js";

await ensureReady({ for: "start" });
const [program, ...args] = process.argv.slice(2);
const { status } = spawnSync(process.execPath, ["--import", "tsx", join(ROOT, "bench", `${program}.ts`), ...args], { cwd: ROOT, stdio: "inherit" });
process.exitCode = status ?? 1;
