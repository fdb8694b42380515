// Several sequences at once, and the first token of a history of screenshots: the second step's and the fiftieth's.
import { fileURLToPath } from "node:url";
import { FeatureCache } from "../../src/engine/cache/feature-cache.js";
import { PrefixCache } from "../../src/engine/cache/prefix-cache.js";
import { Scheduler } from "../../src/engine/generate/scheduler.js";
import { bestDevice, setDefaultDevice } from "../../src/engine/mlx/index.js";
import type { Architecture, MediaSpan, Prompt } from "../../src/engine/models/architecture.js";
import { loadArchitecture } from "../../src/engine/models/registry.js";
import { randomQwen3 } from "../random-qwen3.js";
import { timedGeneration } from "../generation.js";
import { emit, median, peakMemory, type Figure } from "../report.js";

const TINY = fileURLToPath(new URL("../../models/tiny", import.meta.url));
const TOKENS = 24;
const STEPS = 50;
const ROUNDS = 3;

function words(length: number, seed: number): number[] {
  return Array.from({ length }, (_, i) => 100 + ((i * 37 + seed * 11) % 900));
}

async function rates(name: string, model: Architecture, counts: readonly number[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const count of counts) {
    const perSecond: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      using prefixes = new PrefixCache(model, { maxBytes: 0 });
      using features = new FeatureCache(0);
      const scheduler = new Scheduler(model, { prefixes, features });
      const times = await Promise.all(Array.from({ length: count }, (_, i) => timedGeneration(scheduler, { tokenIds: words(32, i), media: [] }, TOKENS)));
      // From when all have begun to when the first ends: what decoding together gives.
      const from = Math.max(...times.map(({ first }) => first));
      const to = Math.max(...times.map(({ last }) => last));
      perSecond.push((count * (TOKENS - 1)) / ((to - from) / 1000));
    }
    figures.push({ name: `${name}: ${count} at once, all together`, value: median(perSecond), unit: "tokens/s" });
  }
  return figures;
}

/** A history that grows by a screenshot and a few words each step; the pictures differ by their keys alone, which costs the same. */
async function history(model: Architecture, side: number): Promise<Figure[]> {
  using prefixes = new PrefixCache(model, { maxBytes: 2 ** 32 });
  using features = new FeatureCache(0);
  const scheduler = new Scheduler(model, { prefixes, features });
  const [pad] = model.mediaTokenIds;
  const rows = (side / 32) ** 2;
  const item = { kind: "image" as const, pixelValues: new Float32Array(side * side * 3 * 2).fill(0.1), gridThw: [1, side / 16, side / 16], mergedTokens: rows };
  const tokenIds = words(200, 1);
  const media: MediaSpan[] = [];
  const firsts: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    media.push({ start: tokenIds.length, end: tokenIds.length + rows, item, key: `screen ${step}` });
    tokenIds.push(...Array.from({ length: rows }, () => pad!), ...words(20, step));
    const prompt: Prompt = { tokenIds: [...tokenIds], media: [...media] };
    firsts.push((await timedGeneration(scheduler, prompt, 2)).first);
  }
  const around = (step: number): number => median(firsts.slice(step - 2, step + 1));
  return [
    { name: `history of ${side} × ${side} screenshots: first token at step 2`, value: median(firsts.slice(1, 4)), unit: "ms" },
    { name: `history of ${side} × ${side} screenshots: first token at step ${STEPS}`, value: around(STEPS - 1), unit: "ms" },
  ];
}

setDefaultDevice(bestDevice());
const types = bestDevice() === "cpu" ? ({ dtype: "float32", storedMatrices: true } as const) : {};
const tiny = await loadArchitecture(TINY, types);
const figures = [...(await rates("embedded model", tiny.architecture, [1, 4, 16])), ...(await history(tiny.architecture, 320))];
tiny.architecture[Symbol.dispose]();
const large = await loadArchitecture(await randomQwen3(), types);
figures.push(...(await rates("Qwen3-0.6B's shape", large.architecture, [1, 4, 16])));
large.architecture[Symbol.dispose]();
emit([...figures, peakMemory("batching: peak memory")]);
