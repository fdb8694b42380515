// `npm run bench:server`: this server beside mlx-vlm's (and vllm-mlx's, where it is installed) on the embedded model, in turns, as one table.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convert } from "../src/index.js";
import { httpOverheadMs } from "./http-overhead.js";
import { median } from "./report.js";
import { ourServer, peerServers, type Server } from "./servers.js";
import { ask, pictureOf } from "./server-requests.js";

const MODEL = fileURLToPath(new URL("../models/tiny", import.meta.url));
const ROUNDS = Number(process.argv[2] ?? 3);
const CLIENTS = [1, 4, 16];
const TOKENS = 24;
const STEPS = 50;
const SCREEN = { widthPx: 320, heightPx: 256 };
/** Fifty of them fit into the model's context. */
const SMALL = { widthPx: 160, heightPx: 128 };
const MIN_PIXELS = 128 * 128;

/** What one server was measured at, by name, a value a round. */
type Measured = Map<string, number[]>;
type Add = (name: string, value: number) => void;
type Measure = (server: Server, round: number, add: Add) => Promise<void>;

const together = (clients: number): Measure => async ({ url, model }, round, add) => {
  const start = performance.now();
  const answers = await Promise.all(Array.from({ length: clients }, (_, i) => ask(url, { model, text: `Round ${round} of client ${i} of ${clients}: say something.`, maxTokens: TOKENS })));
  const seconds = (performance.now() - start) / 1000;
  add(`${clients} at once: first token, ms`, median(answers.map(({ firstMs }) => firstMs)));
  add(`${clients} at once: tokens/s, all together`, answers.reduce((sum, { tokens }) => sum + tokens, 0) / seconds);
};

const repeated: Measure = async ({ url, model }, round, add) => {
  const pictures = [await pictureOf(1_000 + round, SCREEN)];
  add("a picture: first token, ms", (await ask(url, { model, text: "Task: press OK", pictures, maxTokens: 2 })).firstMs);
  add("the same picture again: first token, ms", (await ask(url, { model, text: "Task: press Cancel", pictures, maxTokens: 2 })).firstMs);
};

/** Only steps whose time is told, and those before them: what lies between would tell nothing more. */
const history: Measure = async ({ url, model }, round, add) => {
  const pictures: string[] = [];
  for (let step = 1; step <= STEPS; step++) {
    pictures.push(await pictureOf(round * STEPS + step, SMALL));
    if (step > 2 && step < STEPS - 1) continue;
    const { firstMs } = await ask(url, { model, text: "Task: press OK", pictures, maxTokens: 2 });
    if (step === 2 || step === STEPS) add(`step ${step} of a history of screenshots: first token, ms`, firstMs);
  }
};

const MEASURES: readonly { measure: Measure; times: number }[] = [
  ...CLIENTS.map((clients) => ({ measure: together(clients), times: 3 })),
  { measure: repeated, times: 1 },
  { measure: history, times: 1 },
];

/** The embedded model in the type that peers compute fastest in on a CPU, and so that small pictures stay small. */
async function benchModel(dir: string): Promise<string> {
  const out = join(dir, "tiny");
  await convert(MODEL, { out, dtype: "float32" });
  const path = join(out, "preprocessor_config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as { size: object };
  await writeFile(path, JSON.stringify({ ...config, size: { ...config.size, shortest_edge: MIN_PIXELS } }));
  return out;
}

const dir = await mkdtemp(join(tmpdir(), "deskhand-bench-"));
const model = await benchModel(dir);
const servers = [await ourServer(model), ...(await peerServers(model))];
const measured = servers.map((): Measured => new Map());
let overheadMs: number;
try {
  // The first answers compile, load and fill what is done once.
  for (const { url, model: name } of servers) await ask(url, { model: name, text: "hello", pictures: [await pictureOf(0, SMALL)], maxTokens: 2 });
  for (let round = 0; round < ROUNDS; round++) {
    process.stderr.write(`round ${round + 1} of ${ROUNDS} …\n`);
    for (const { measure, times } of MEASURES) {
      // In turns, so that what else the machine does hits all alike.
      for (let time = 0; time < times; time++) for (const [i, server] of servers.entries()) await measure(server, round * times + time, (name, value) => void measured[i]!.set(name, [...(measured[i]!.get(name) ?? []), value]));
    }
  }
  for (const server of servers) await server.stop();
  overheadMs = await httpOverheadMs(model);
} finally {
  for (const server of servers) await server.stop();
  await rm(dir, { recursive: true });
}

const cell = (value: number): string => (Number.isNaN(value) ? "–" : String(Number(value.toPrecision(3))));
const rows = [...measured[0]!.keys()].map((name) => {
  const values = measured.map((of) => median(of.get(name) ?? [NaN]));
  // More is better of rates, less of times.
  const ratios = values.slice(1).map((value) => (name.includes("tokens/s") ? values[0]! / value : value / values[0]!));
  return `| ${[name, ...values.map(cell), ...ratios.map(cell)].join(" | ")} |`;
});
const columns = ["", ...servers.map(({ name }) => name), ...servers.slice(1).map(({ name }) => `times better than ${name}`)];
process.stdout.write(`${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} processors; medians of ${ROUNDS} rounds, in turns\n\n| ${columns.join(" | ")} |\n|${"---|".repeat(columns.length)}\n${rows.join("\n")}\n\nHTTP over the bare engine: ${cell(overheadMs)} ms (median)\n`);
