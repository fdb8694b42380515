// `npm run bench [-- …]`: measurements, as one table and one JSON line. Sets the checkout up first.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureReady } from "./setup/ensure-ready.js";
import { ROOT } from "./setup/paths.js";

await ensureReady({ for: "start" });
const { status } = spawnSync(process.execPath, ["--import", "tsx", join(ROOT, "bench", "main.ts"), ...process.argv.slice(2)], { cwd: ROOT, stdio: "inherit" });
process.exitCode = status ?? 1;
