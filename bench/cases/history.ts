// An agent's history of screenshots, step by step: the time to the first token at step 2 and at step 50, over HTTP and from the library.
import { rm } from "node:fs/promises";
import OpenAI from "openai";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { load } from "../../src/engine/model.js";
import { serve } from "../../src/server/start.js";
import { phaseFigures } from "../history-phases.js";
import { emit, median, peakMemory, type Figure } from "../report.js";
import { History, modelOfSmallPictures, SIDE_PX, type FirstToken } from "../screenshots.js";

const STEPS = 50;
const ROUNDS = 9;
const sampling = { temperature: 0, maxTokens: 4 };

/** Both steps in turn, now the one first and now the other, so that whatever else the machine does meets them alike. */
async function compare(name: string, ask: History["ask"]): Promise<Figure[]> {
  const long = new History(0, ask);
  for (let step = 1; step < STEPS - Math.floor(ROUNDS / 2); step++) await long.step();
  const pairs: { second: FirstToken; fiftieth: FirstToken }[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const short = new History(round, ask);
    await short.step();
    const early = round % 2 === 0 ? await long.step() : undefined;
    const second = await short.step();
    pairs.push({ second, fiftieth: early ?? (await long.step()) });
  }
  const of = (part: (first: FirstToken) => number | undefined, unit: string, what: string): Figure[] => {
    const known = pairs.map(({ second, fiftieth }) => [part(second), part(fiftieth)] as const).filter((both): both is readonly [number, number] => !both.includes(undefined));
    if (known.length === 0) return [];
    return [
      { name: `${name}: ${what} at step 2`, value: median(known.map(([second]) => second)), unit },
      { name: `${name}: ${what} at step ${STEPS}`, value: median(known.map(([, fiftieth]) => fiftieth)), unit },
      { name: `${name}: ${what}, step ${STEPS} to step 2`, value: median(known.map(([second, fiftieth]) => fiftieth / second)), unit: "×" },
    ];
  };
  return [...of(({ ms }) => ms, "ms", "first token"), ...of(({ cpuMs }) => cpuMs, "ms of processors", "first token")];
}

async function overHttp(model: string): Promise<Figure[]> {
  const engine = new ProcessEngine(model, { program: new URL("../../dist/engine/host/main.js", import.meta.url) });
  await using server = await serve({ engine, port: 0 });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
  return await compare(`history of ${SIDE_PX} × ${SIDE_PX} screenshots over HTTP`, async (messages) => {
    const body = messages.map(({ role, content }) => ({
      role,
      content: typeof content === "string" ? content : content.map((part) => (part.type === "image" ? { type: "image_url", image_url: { url: `data:image/png;base64,${(part.image as Buffer).toString("base64")}` } } : part)),
    })) as OpenAI.ChatCompletionMessageParam[];
    const start = performance.now();
    let ms = 0;
    const stream = await client.chat.completions.create({ model: server.modelId, messages: body, stream: true, temperature: 0, max_tokens: sampling.maxTokens });
    for await (const { choices } of stream) if ((choices[0]?.delta.content || choices[0]?.finish_reason) && ms === 0) ms = performance.now() - start;
    return { ms };
  });
}

async function fromLibrary(dir: string): Promise<Figure[]> {
  await using model = await load(dir);
  return await compare(`history of ${SIDE_PX} × ${SIDE_PX} screenshots from the library`, async (messages) => {
    const [start, before] = [performance.now(), process.cpuUsage()];
    let first: FirstToken | undefined;
    for await (const { type } of model.streamChat({ messages: [...messages], ...sampling })) {
      if (first !== undefined || (type !== "text" && type !== "finish")) continue;
      const { user, system } = process.cpuUsage(before);
      first = { ms: performance.now() - start, cpuMs: (user + system) / 1000 };
    }
    return first!;
  });
}

const dir = await modelOfSmallPictures();
try {
  const phases = await phaseFigures(dir, STEPS);
  emit([...(await overHttp(dir)), ...(await fromLibrary(dir)), ...phases, peakMemory("history: peak memory")]);
} finally {
  await rm(dir, { recursive: true });
}
