// The embedded model on a real screenshot, as the agent uses it.
import { fileURLToPath } from "node:url";
import { decodeImage } from "../../src/engine/image/decode.js";
import { readImageSource } from "../../src/engine/image/source.js";
import { bestDevice, setDefaultDevice } from "../../src/engine/mlx/index.js";
import { loadArchitecture } from "../../src/engine/models/registry.js";
import { Tokenizer } from "../../src/engine/tokenizer/tokenizer.js";
import { generationRates } from "../generation.js";
import { emit, peakMemory } from "../report.js";

const DIR = fileURLToPath(new URL("../../models/tiny", import.meta.url));
const SCREEN = fileURLToPath(new URL("../../test/golden/fixtures/embedded/screens/zenity-empty.png", import.meta.url));
const PROMPT = "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Task: set First name to Ada, Email to ada@example.org, then press OK\nPrevious actions: none<|im_end|>\n<|im_start|>assistant\n";

setDefaultDevice(bestDevice());
const start = performance.now();
const { architecture, processor } = await loadArchitecture(DIR, bestDevice() === "cpu" ? { dtype: "float32", storedMatrices: true } : {});
const loadMs = performance.now() - start;
const tokenizer = await Tokenizer.load(DIR);
const images = [await decodeImage(await readImageSource(SCREEN))];
const prompt = processor!.prepare({ text: PROMPT, images, encode: (text) => tokenizer.encode(text) });
const rates = await generationRates("embedded model, 640×480", architecture, prompt, { tokens: 64, runs: 7 });
emit([{ name: "embedded model: load", value: loadMs, unit: "ms" }, ...rates, peakMemory("embedded model: peak memory")]);
architecture[Symbol.dispose]();
