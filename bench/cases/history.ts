// An agent's history of screenshots, step by step: the time to the first token at step 2 and at step 50, over HTTP and from the library.
import { rm } from "node:fs/promises";
import OpenAI from "openai";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import type { ChatMessage } from "../../src/engine/messages.js";
import { load } from "../../src/engine/model.js";
import { serve } from "../../src/server/start.js";
import { phaseFigures } from "../history-phases.js";
import { emit, median, peakMemory, type Figure } from "../report.js";
import { AgentsScreenshots, AllScreenshots, modelOfSmallPictures, SIDE_PX, type FirstToken, type Turns } from "../screenshots.js";

const STEPS = 50;
const ROUNDS = 9;
const sampling = { temperature: 0, maxTokens: 4 };

/** Step 2 of one conversation and step 50 of another in turn, each time with a new screenshot, so that whatever else the machine does meets them alike. */
async function compare<M>(name: string, make: (conversation: number) => Turns<M>, ask: (sent: M) => Promise<FirstToken>): Promise<Figure[]> {
  const [long, short] = [make(0), make(1)];
  for (let step = 1; step < STEPS; step++) await ask(await long.at(step, step));
  await ask(await short.at(1, 1));
  const pairs: { second: FirstToken; fiftieth: FirstToken }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [two, fifty] = [await short.at(2, STEPS + round), await long.at(STEPS, STEPS + round)];
    const early = round % 2 === 0 ? await ask(fifty) : undefined;
    const second = await ask(two);
    // The first round's answers replace what the conversations' own last steps left in the cache.
    const pair = { second, fiftieth: early ?? (await ask(fifty)) };
    if (round > 0) pairs.push(pair);
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

interface Sent {
  messages: OpenAI.ChatCompletionMessageParam[];
  tools?: OpenAI.ChatCompletionFunctionTool[];
}

async function overHttp<M>(name: string, model: string, make: (conversation: number) => Turns<M>, toSent: (made: M) => Sent): Promise<Figure[]> {
  const engine = new ProcessEngine(model, { program: new URL("../../dist/engine/host/main.js", import.meta.url) });
  await using server = await serve({ engine, port: 0 });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
  return await compare(`${name} over HTTP`, make, async (made) => {
    const start = performance.now();
    let ms = 0;
    const stream = await client.chat.completions.create({ model: server.modelId, ...toSent(made), stream: true, temperature: 0, max_tokens: sampling.maxTokens });
    for await (const { choices } of stream) if ((choices[0]?.delta.content || choices[0]?.delta.tool_calls || choices[0]?.finish_reason) && ms === 0) ms = performance.now() - start;
    return { ms };
  });
}

/** As a client of the server writes them. */
function withUrls(messages: ChatMessage[]): Sent {
  const content = (parts: ChatMessage["content"]): unknown => (typeof parts === "string" ? parts : parts.map((part) => (part.type === "image" ? { type: "image_url", image_url: { url: `data:image/png;base64,${(part.image as Buffer).toString("base64")}` } } : part)));
  return { messages: messages.map((message) => ({ role: message.role, content: content(message.content) })) as OpenAI.ChatCompletionMessageParam[] };
}

async function fromLibrary(name: string, dir: string): Promise<Figure[]> {
  await using model = await load(dir);
  return await compare(`${name} from the library`, (conversation) => new AllScreenshots(conversation), async (messages) => {
    const [start, before] = [performance.now(), process.cpuUsage()];
    let first: FirstToken | undefined;
    for await (const { type } of model.streamChat({ messages, ...sampling })) {
      if (first !== undefined || (type !== "text" && type !== "finish")) continue;
      const { user, system } = process.cpuUsage(before);
      first = { ms: performance.now() - start, cpuMs: (user + system) / 1000 };
    }
    return first!;
  });
}

const ALL = `all of ${SIDE_PX} × ${SIDE_PX} screenshots`;
const dir = await modelOfSmallPictures();
try {
  const agents = await overHttp("the agent's history of 640 × 480 screenshots", "tiny", (conversation) => new AgentsScreenshots(conversation), ({ messages, tools }) => ({ messages, tools }));
  const phases = await phaseFigures(dir, STEPS);
  emit([...agents, ...(await overHttp(ALL, dir, (conversation) => new AllScreenshots(conversation), withUrls)), ...(await fromLibrary(ALL, dir)), ...phases, peakMemory("history: peak memory")]);
} finally {
  await rm(dir, { recursive: true });
}
