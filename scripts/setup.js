// `npm run setup`: makes the checkout ready, or one part of it.
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensureReady } from "./setup/ensure-ready.js";

export { ensureReady };

const USAGE = "usage: node scripts/setup.js [--for start|test|run] [--only npm|mlx|native|typescript]… [--force]";
const PURPOSES = ["start", "test", "run"];
const PHASES = ["npm", "mlx", "native", "typescript"];

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const options = readArguments();
  const { changed } = await ensureReady(options);
  if (!changed) process.stderr.write("Everything is in place.\n");
}

function readArguments() {
  try {
    const { values } = parseArgs({ options: { for: { type: "string", default: "start" }, only: { type: "string", multiple: true }, force: { type: "boolean", default: false } } });
    if (!PURPOSES.includes(values.for)) throw new Error(`Expected --for to be one of ${PURPOSES.join(", ")} but received ${values.for}.`);
    const unknown = values.only?.find((phase) => !PHASES.includes(phase));
    if (unknown !== undefined) throw new Error(`Expected --only to be one of ${PHASES.join(", ")} but received ${unknown}.`);
    return values;
  } catch (error) {
    process.stderr.write(`${error.message}\n${USAGE}\n`);
    process.exit(2);
  }
}
