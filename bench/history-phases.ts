// What of a turn is done before the model runs, and its attention, phase by phase: processor time, which other programs do not lengthen.
import { deserialize, serialize } from "node:v8";
import { rowsInCommon } from "../src/engine/cache/prefix-tree.js";
import { SeenImages } from "../src/engine/image/seen-images.js";
import { mediaOf, readMedia } from "../src/engine/media.js";
import type { ChatMessage } from "../src/engine/messages.js";
import { bestDevice, evaluate, scaledDotProductAttention, scope, setDefaultDevice, zeros } from "../src/engine/mlx/index.js";
import type { Architecture, Processor, Prompt } from "../src/engine/models/architecture.js";
import { loadArchitecture } from "../src/engine/models/registry.js";
import { ChatTemplate } from "../src/engine/tokenizer/chat-template.js";
import { Tokenizer } from "../src/engine/tokenizer/tokenizer.js";
import { decodeDataUri } from "../src/server/pictures/data-uri.js";
import { IMAGE } from "../src/server/pictures/kinds.js";
import { ChatCompletionRequest } from "../src/server/schemas/chat-request.js";
import type { Figure } from "./report.js";
import { screenshot } from "./screenshots.js";

const TRIES = 9;

/** Heads, heads of keys and values, their width, and layers of the embedded model. */
const SHAPE = { heads: 6, kvHeads: 2, dims: 64, layers: 6 };

/** The least processor time of some tries, in ms. */
async function cpuMs(body: () => unknown): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < TRIES; i++) {
    const before = process.cpuUsage();
    await body();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

async function conversation(steps: number): Promise<ChatMessage[]> {
  const messages: ChatMessage[] = [];
  for (let step = 1; step <= steps; step++) {
    if (step > 1) messages.push({ role: "assistant", content: "OK" });
    messages.push({ role: "user", content: [{ type: "text", text: `${step}` }, { type: "image", image: await screenshot(step) }] });
  }
  return messages;
}

function bodyOf(messages: readonly ChatMessage[]): string {
  const content = (parts: ChatMessage["content"]): unknown =>
    typeof parts === "string" ? parts : parts.map((part) => (part.type === "image" ? { type: "image_url", image_url: { url: `data:image/png;base64,${(part.image as Buffer).toString("base64")}` } } : part));
  return JSON.stringify({ messages: messages.map((message) => ({ role: message.role, content: content(message.content) })) });
}

interface Parts {
  architecture: Architecture;
  processor: Processor;
  tokenizer: Tokenizer;
  template: ChatTemplate;
}

/** Phases of the turn at a step, on its whole conversation. */
async function phases({ architecture, processor, tokenizer, template }: Parts, steps: number): Promise<Map<string, number>> {
  const messages = await conversation(steps);
  const body = bodyOf(messages);
  const urls = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content.flatMap((part) => (part.type === "image" ? [`data:image/png;base64,${(part.image as Buffer).toString("base64")}`] : []))));
  const seen = new SeenImages();
  const media = () => readMedia(mediaOf(messages), { seenImages: seen });
  await media();
  const text = template.render(messages);
  const encode = (part: string): number[] => tokenizer.encode(part);
  const { images } = await media();
  const prompt: Prompt = processor.prepare({ text, images, encode });
  const parsed: unknown = JSON.parse(body);
  const found = new Map<string, number>();
  const measure = async (name: string, run: () => unknown): Promise<void> => void found.set(name, await cpuMs(run));
  await measure("body", () => JSON.parse(body) as unknown);
  await measure("validate", () => ChatCompletionRequest.parse(parsed));
  await measure("base64", () => urls.forEach((url) => decodeDataUri(url, 2 ** 24, IMAGE)));
  await measure("to the engine's process", () => deserialize(serialize({ messages })) as unknown);
  await measure("media", media);
  await measure("template", () => template.render(messages));
  await measure("tokenise", () => encode(text));
  const ids = encode(text);
  await measure("places of pictures", () => processor.prepare({ text, images, encode: () => ids }));
  await measure("positions", () => architecture.plan(prompt));
  await measure("match", () => rowsInCommon(prompt, { ...prompt, tokenIds: [...prompt.tokenIds] }));
  const turn = Math.round(prompt.tokenIds.length / steps);
  await measure(`attention, ${SHAPE.layers} layers`, () => attend(turn, prompt.tokenIds.length));
  return found;
}

function attend(rows: number, keys: number): void {
  const { heads, kvHeads, dims, layers } = SHAPE;
  scope(() => {
    const q = zeros([1, heads, rows, dims], "float32");
    const kv = zeros([1, kvHeads, keys, dims], "float32");
    for (let layer = 0; layer < layers; layer++) evaluate(scaledDotProductAttention(q, kv, kv, 1 / 8, "causal"));
  });
}

/** The phases at step 2 and at a later one. */
export async function phaseFigures(dir: string, later: number): Promise<Figure[]> {
  setDefaultDevice(bestDevice());
  const { architecture, processor } = await loadArchitecture(dir, bestDevice() === "cpu" ? { dtype: "float32", storedMatrices: true } : {});
  try {
    const tokenizer = await Tokenizer.load(dir);
    const template = (await ChatTemplate.load(dir, tokenizer.namedTokens))!;
    const parts = { architecture, processor: processor!, tokenizer, template };
    const [second, last] = [await phases(parts, 2), await phases(parts, later)];
    return [...last].flatMap(([name, value]): Figure[] => [
      { name: `${name} at step 2`, value: second.get(name)!, unit: "ms of processors" },
      { name: `${name} at step ${later}`, value, unit: "ms of processors" },
    ]);
  } finally {
    architecture[Symbol.dispose]();
  }
}
