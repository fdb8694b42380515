#!/usr/bin/env node
// The `deskhand` command. Sets the checkout up first; nothing is done, or said, when all is in place.
import { ensureReady } from "../scripts/setup/ensure-ready.js";

await ensureReady({ for: "run" });
const { main } = await import("../dist/tools/cli.js");
process.exitCode = await main(process.argv.slice(2));
