// How cost grows: prefill with the prompt's length, decode and cache with the context, on small random models of each kind.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "../../src/engine/cache/session.js";
import { Prefill } from "../../src/engine/generate/prefill.js";
import { bestDevice, evaluated, expandDims, scope, setDefaultDevice, tensor } from "../../src/engine/mlx/index.js";
import type { Architecture, Prompt } from "../../src/engine/models/architecture.js";
import { loadArchitecture } from "../../src/engine/models/registry.js";
import { KINDS, writeRandomModel, type Kind } from "../random-models.js";
import { emit, median, peakMemory, type Figure } from "../report.js";

const PROMPTS = [256, 1024, 4096];
const CONTEXTS = [1024, 4096, 16_384];
const DECODED = 16;

/** MiB that each layer's cache holds. */
function cacheSizes(session: Session): number[] {
  return session.caches.map((cache) => cache.tensors().reduce((sum, { nbytes }) => sum + nbytes, 0) / 2 ** 20);
}

function promptOf(length: number): Prompt {
  return { tokenIds: Array.from({ length }, (_, i) => (i * 37) % 1000), media: [] };
}

async function decodeMs(model: Architecture, session: Session, context: number): Promise<number> {
  const times: number[] = [];
  const plan = model.plan(promptOf(context + DECODED));
  for (let i = 0; i < DECODED; i++) {
    const start = performance.now();
    using logits = scope(() => {
      const embeddings = model.embed(tensor(Int32Array.of(i), [1, 1]));
      return expandDims(model.logits(model.decode({ ...plan.rows(context + i, context + i + 1), embeddings }, session.caches)), 0);
    });
    await evaluated(logits);
    times.push(performance.now() - start);
  }
  return median(times);
}

async function measure(kind: Kind, model: Architecture): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const length of new Set([...PROMPTS, ...CONTEXTS])) {
    using session = new Session(model.createCache());
    const start = performance.now();
    using pieces = new Prefill(model, promptOf(length), session);
    let last = await pieces.step();
    while (last === undefined) last = await pieces.step();
    using logits = last;
    await evaluated(logits);
    const ms = performance.now() - start;
    if (PROMPTS.includes(length)) figures.push({ name: `${kind}: prefill of ${length} tokens, a token`, value: ms / length, unit: "ms" });
    if (!CONTEXTS.includes(length)) continue;
    figures.push({ name: `${kind}: decode after ${length} tokens, a token`, value: await decodeMs(model, session, length), unit: "ms" });
    const sizes = cacheSizes(session);
    figures.push({ name: `${kind}: cache after ${length} tokens`, value: sizes.reduce((sum, size) => sum + size), unit: "MiB" });
    if (kind === "sliding window") figures.push({ name: `${kind}: cache of a layer with a window`, value: Math.min(...sizes), unit: "MiB" });
  }
  return figures;
}

setDefaultDevice(bestDevice());
const dir = await mkdtemp(join(tmpdir(), "deskhand-growth-"));
const figures: Figure[] = [];
try {
  for (const kind of KINDS) {
    const own = join(dir, kind);
    await writeRandomModel(kind, own);
    const { architecture } = await loadArchitecture(own, bestDevice() === "cpu" ? { dtype: "float32", storedMatrices: true } : {});
    figures.push(...(await measure(kind, architecture)));
    architecture[Symbol.dispose]();
  }
} finally {
  await rm(dir, { recursive: true });
}
emit([...figures, peakMemory("growth: peak memory")]);
