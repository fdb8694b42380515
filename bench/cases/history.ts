// An agent's history of screenshots, step by step: the time to the first token at step 2 and at step 50, over HTTP and from the library.
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import sharp from "sharp";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import type { ChatMessage } from "../../src/engine/messages.js";
import { load } from "../../src/engine/model.js";
import { serve } from "../../src/server/start.js";
import { emit, median, peakMemory, type Figure } from "../report.js";

const TINY = fileURLToPath(new URL("../../models/tiny", import.meta.url));
const SIDE_PX = 320;
const STEPS = 50;
const ROUNDS = 5;
const sampling = { temperature: 0, maxTokens: 4 };

/** A screen of boxes that no other seed gives. */
async function screenshot(seed: number): Promise<Buffer> {
  const box = (i: number): string => `<rect x="${(i * 37 + seed * 13) % 290}" y="${(i * 53 + seed * 7) % 300}" width="${20 + ((i * seed) % 90)}" height="14" fill="rgb(${(i * 40) % 255},${(seed * 3) % 255},120)"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE_PX}" height="${SIDE_PX}"><rect width="100%" height="100%" fill="#eee"/>${Array.from({ length: 24 }, (_, i) => box(i)).join("")}</svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

/** A conversation that grows by a screenshot and an answer with each step. */
class History {
  readonly messages: ChatMessage[] = [];
  #step = 0;

  constructor(
    readonly seed: number,
    /** Time to the first token, in ms. */
    readonly ask: (messages: readonly ChatMessage[]) => Promise<number>,
  ) {}

  async step(): Promise<number> {
    const image = await screenshot(this.seed * 1000 + ++this.#step);
    this.messages.push({ role: "user", content: [{ type: "text", text: `${this.#step}` }, { type: "image", image }] });
    const ms = await this.ask(this.messages);
    this.messages.push({ role: "assistant", content: "OK" });
    return ms;
  }
}

/** Both steps in turn, so that whatever else the machine does meets them alike. */
async function compare(name: string, ask: History["ask"]): Promise<Figure[]> {
  const long = new History(0, ask);
  for (let step = 1; step < STEPS - Math.floor(ROUNDS / 2); step++) await long.step();
  const seconds: number[] = [];
  const fiftieths: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const short = new History(round, ask);
    await short.step();
    seconds.push(await short.step());
    fiftieths.push(await long.step());
  }
  return [
    { name: `${name}: first token at step 2`, value: median(seconds), unit: "ms" },
    { name: `${name}: first token at step ${STEPS}`, value: median(fiftieths), unit: "ms" },
    { name: `${name}: step ${STEPS} to step 2`, value: median(fiftieths) / median(seconds), unit: "×" },
  ];
}

/** The embedded model, but for pictures that it would see enlarged: fifty of those are more than it holds. */
async function smallPictures(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "deskhand-bench-"));
  for (const name of await readdir(TINY)) if (name !== "preprocessor_config.json") await symlink(join(TINY, name), join(dir, name));
  const config = JSON.parse(await readFile(join(TINY, "preprocessor_config.json"), "utf8")) as { size: { shortest_edge: number } };
  config.size.shortest_edge = SIDE_PX ** 2;
  await writeFile(join(dir, "preprocessor_config.json"), JSON.stringify(config));
  return dir;
}

async function overHttp(model: string): Promise<Figure[]> {
  const engine = new ProcessEngine(model, { program: new URL("../../dist/engine/host/main.js", import.meta.url) });
  await using server = await serve({ engine, port: 0 });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
  const figures = await compare(`history of ${SIDE_PX} × ${SIDE_PX} screenshots over HTTP`, async (messages) => {
    const body = messages.map(({ role, content }) => ({
      role,
      content: typeof content === "string" ? content : content.map((part) => (part.type === "image" ? { type: "image_url", image_url: { url: `data:image/png;base64,${(part.image as Buffer).toString("base64")}` } } : part)),
    })) as OpenAI.ChatCompletionMessageParam[];
    const start = performance.now();
    let first = 0;
    const stream = await client.chat.completions.create({ model: server.modelId, messages: body, stream: true, temperature: 0, max_tokens: sampling.maxTokens });
    for await (const { choices } of stream) if (choices[0]?.delta.content && first === 0) first = performance.now() - start;
    return first;
  });
  return figures;
}

async function fromLibrary(dir: string): Promise<Figure[]> {
  await using model = await load(dir);
  const figures = await compare(`history of ${SIDE_PX} × ${SIDE_PX} screenshots from the library`, async (messages) => {
    const start = performance.now();
    let first = 0;
    for await (const event of model.streamChat({ messages: [...messages], ...sampling })) {
      if (event.type === "text" && first === 0) first = performance.now() - start;
    }
    return first;
  });
  return figures;
}

const dir = await smallPictures();
try {
  emit([...(await overHttp(dir)), ...(await fromLibrary(dir)), peakMemory("history: peak memory")]);
} finally {
  await rm(dir, { recursive: true });
}
