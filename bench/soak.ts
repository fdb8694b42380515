// `npm run soak [-- REQUESTS]`: thousands of mixed requests, and what they leave behind.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { table, type Figure } from "./report.js";
import { soak, type Held } from "./soaking.js";

const MODEL = fileURLToPath(new URL("../test/golden/fixtures/qwen3-vl/model", import.meta.url));
const PICTURE = new URL("../test/golden/fixtures/pictures/shapes-200x150.png", import.meta.url);
const REQUESTS = 2_000;
const WARM_UP = 1_000;

const requests = Number(process.argv[2] ?? REQUESTS);
const picture = `data:image/png;base64,${(await readFile(PICTURE)).toString("base64")}`;
const { before, after, statuses, left, seconds } = await soak({ model: MODEL, requests, warmUp: WARM_UP, picture });
const change = (name: string, key: keyof Omit<Held, "delayMs">): Figure[] => [
  { name: `${name}, before`, value: before[key] / (key === "liveTensors" ? 1 : 2 ** 20), unit: key === "liveTensors" ? "" : "MiB" },
  { name: `${name}, change`, value: 100 * (after[key] / before[key] - 1), unit: "%" },
];
/** Growth of what is held, and how long a request may wait for the event loop. */
const MAX_GROWTH = 1.02;
const MAX_DELAY_MS = 20;
const grown = (["serverRss", "serverHeap", "engineRss"] as const).filter((key) => after[key] > before[key] * MAX_GROWTH);
const isSound = grown.length === 0 && after.liveTensors === before.liveTensors && after.enginePid === before.enginePid && after.delayMs.p99 < MAX_DELAY_MS;
process.exitCode = isSound ? 0 : 1;

process.stdout.write(
  `${table([
    { name: "requests", value: requests, unit: `in ${seconds.toFixed(0)} s` },
    { name: "clients that left in the middle of a stream", value: left, unit: "with those of the warm-up" },
    ...Object.entries(statuses).map(([status, count]): Figure => ({ name: `answered with ${status}`, value: count, unit: "" })),
    ...change("server: resident memory", "serverRss"),
    ...change("server: heap in use", "serverHeap"),
    ...change("engine: resident memory", "engineRss"),
    ...change("engine: live tensors", "liveTensors"),
    { name: "server: event loop held up, p50", value: after.delayMs.p50, unit: "ms" },
    { name: "server: event loop held up, p99", value: after.delayMs.p99, unit: "ms" },
  ])}\n`,
);
