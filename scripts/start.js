// `npm start [-- TASK …]`: the main job. Sets the checkout up first.
import { ensureReady } from "./setup/ensure-ready.js";

await ensureReady({ for: "start" });
const { mainJob } = await import("../dist/tools/main-job.js");
process.exitCode = await mainJob(process.argv.slice(2));
