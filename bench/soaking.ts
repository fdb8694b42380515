import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Agent, request } from "undici";

/** What the server and its engine hold at one moment, in bytes, and how their event loop went so far. */
export interface Held {
  serverRss: number;
  serverHeap: number;
  engineRss: number;
  liveTensors: number;
  enginePid: number;
  delayMs: { p50: number; p99: number; max: number };
}

export interface Soaked {
  before: Held;
  after: Held;
  statuses: Record<number, number>;
  left: number;
  seconds: number;
}

export interface SoakOptions {
  model: string;
  requests: number;
  /** Requests until everything that is made once is there. */
  warmUp: number;
  /** A picture's data URI. */
  picture: string;
}

const SERVER = fileURLToPath(new URL("soak-server.js", import.meta.url));
const AT_ONCE = 8;
/** Every tenth request is a stream that its client leaves. */
const LEAVES_EVERY = 10;

interface Ask {
  path: string;
  body: object;
}

/** Requests of every kind, good and bad, long and short, in a fixed order. */
function ask(number: number, picture: string): Ask {
  const text = `Task ${number}: ${"press the button ".repeat(1 + (number % 7))}`;
  const look = [{ role: "user", content: [{ type: "image_url", image_url: { url: picture } }, { type: "text", text }] }];
  const say = [{ role: "user", content: text }];
  const max_tokens = 4 + (number % 24);
  const weather = { name: "weather", parameters: { type: "object", properties: { city: { enum: ["a", "b"] } }, required: ["city"], additionalProperties: false } };
  const kinds: Ask[] = [
    { path: "/v1/chat/completions", body: { messages: say, max_tokens } },
    { path: "/v1/chat/completions", body: { messages: say, max_tokens, stream: true, temperature: 1 } },
    { path: "/v1/chat/completions", body: { messages: look, max_tokens, stream: true } },
    { path: "/v1/chat/completions", body: { messages: say, max_tokens, n: 3, logprobs: true, top_logprobs: 3 } },
    { path: "/v1/chat/completions", body: { messages: say, max_tokens: 64, tools: [{ type: "function", function: weather }], tool_choice: "required", stream: true } },
    { path: "/v1/messages", body: { messages: say, max_tokens, stream: true } },
    { path: "/v1/responses", body: { input: text, max_output_tokens: max_tokens, stream: true } },
    { path: "/v1/completions", body: { prompt: text, max_tokens } },
    { path: "/v1/embeddings", body: { input: [text, "x"] } },
    { path: "/tokenize", body: { prompt: text } },
    { path: "/v1/chat/completions", body: { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: picture.slice(0, picture.length / 2) } }] }] } },
    { path: "/v1/chat/completions", body: { messages: "none" } },
  ];
  return kinds[number % kinds.length]!;
}

/** Sends mixed requests, of whose clients a tenth leave in the middle of a stream, and tells what the processes held before and after. */
export async function soak({ model, requests, warmUp, picture }: SoakOptions): Promise<Soaked> {
  const server = fork(SERVER, [model], { execArgv: ["--expose-gc"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const [{ url }] = (await once(server, "message")) as [{ url: string }];
  const told = async (question: "held" | "watch"): Promise<Held> => {
    server.send(question);
    const [held] = (await once(server, "message")) as [Held];
    return held;
  };
  const quiet = async (question: "held" | "watch"): Promise<Held> => {
    while (((await (await fetch(`${url}/health`)).json()) as { requests: number }).requests > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    return told(question);
  };
  const agent = new Agent({ connections: AT_ONCE });
  const statuses: Record<number, number> = {};
  let left = 0;
  const send = async (number: number): Promise<void> => {
    const leaves = number % LEAVES_EVERY === LEAVES_EVERY - 1;
    const { path, body } = leaves ? { path: "/v1/chat/completions", body: { ...ask(2, picture).body, max_tokens: 400 } } : ask(number, picture);
    const answer = await request(`${url}${path}`, { dispatcher: agent, method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1;
    if (!leaves) return void (await answer.body.dump({ limit: Infinity }));
    let chunks = 0;
    for await (const _chunk of answer.body) if (++chunks > number % 5) break;
    left++;
  };
  let next = 0;
  const sendUpTo = (end: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (next < end) await send(next++);
      }),
    );
  await sendUpTo(warmUp);
  const before = await quiet("watch");
  const start = performance.now();
  await sendUpTo(warmUp + requests);
  const seconds = (performance.now() - start) / 1000;
  const after = await quiet("held");
  await agent.close();
  const gone = once(server, "exit");
  server.send("close");
  await gone;
  return { before, after, statuses, left, seconds };
}
