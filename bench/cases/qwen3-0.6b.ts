// A text model of Qwen3-0.6B's shape with random weights.
import { bestDevice, setDefaultDevice } from "../../src/engine/mlx/index.js";
import { loadArchitecture } from "../../src/engine/models/registry.js";
import { generationRates } from "../generation.js";
import { randomQwen3 } from "../random-qwen3.js";
import { emit, peakMemory } from "../report.js";

const dir = await randomQwen3();
setDefaultDevice(bestDevice());
const start = performance.now();
const { architecture } = await loadArchitecture(dir, bestDevice() === "cpu" ? { dtype: "float32", storedMatrices: true } : {});
const loadMs = performance.now() - start;
const prompt = { tokenIds: Array.from({ length: 512 }, (_, i) => (i * 37) % 2000), media: [] };
const rates = await generationRates("Qwen3-0.6B shape", architecture, prompt, { tokens: 32, runs: 3 });
emit([{ name: "Qwen3-0.6B shape: load", value: loadMs, unit: "ms" }, ...rates, peakMemory("Qwen3-0.6B shape: peak memory")]);
architecture[Symbol.dispose]();
