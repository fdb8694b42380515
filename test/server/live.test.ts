import OpenAI from "openai";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { load } from "../../src/index.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { ENGINE_PROGRAM } from "./support.js";

/** The embedded model behind the server, over a real socket, with the official client. */
let server: RunningServer;
let client: OpenAI;
let screen: string;

beforeAll(async () => {
  server = await serve({ engine: new ProcessEngine("tiny", { program: ENGINE_PROGRAM }), port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  screen = await picture("#3355aa");
});
afterAll(() => server.close());

async function picture(background: string): Promise<string> {
  const png = await sharp({ create: { width: 640, height: 480, channels: 3, background } }).png().toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

const look = (url: string) => [
  { role: "user" as const, content: [{ type: "text" as const, text: "Task: press OK" }, { type: "image_url" as const, image_url: { url } }] },
];
const greedy = { model: "tiny", temperature: 0, max_tokens: 24 };

async function places(): Promise<number> {
  return ((await (await fetch(`${server.url}/health`)).json()) as { requests: number }).requests;
}

describe("the embedded model, served", () => {
  it("answers about a picture the same streamed and whole, and as the library does", async () => {
    const whole = await client.chat.completions.create({ ...greedy, messages: look(screen) });
    const stream = client.chat.completions.stream({ ...greedy, messages: look(screen), stream_options: { include_usage: true } });
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
    expect(streamed.choices[0]?.finish_reason).toBe(whole.choices[0]?.finish_reason);
    expect(streamed.usage?.completion_tokens).toBe(whole.usage?.completion_tokens);
    expect(streamed.usage?.prompt_tokens).toBe(whole.usage?.prompt_tokens);

    await using model = await load("tiny");
    const direct = await model.chat([{ role: "user", content: [{ type: "text", text: "Task: press OK" }, { type: "image", image: screen }] }], { temperature: 0, maxTokens: 24 });
    expect(direct.text).toBe(whole.choices[0]?.message.content);
    expect(direct.promptTokens).toBe(whole.usage?.prompt_tokens);
  });

  it("sees the picture: a cached prompt with another picture of the same size is not taken for the first", async () => {
    const other = await picture("#eeeeee");
    const first = await client.chat.completions.create({ ...greedy, messages: look(screen) });
    const second = await client.chat.completions.create({ ...greedy, messages: look(other) });
    const again = await client.chat.completions.create({ ...greedy, messages: look(screen) });
    expect(again.choices[0]?.message.content).toBe(first.choices[0]?.message.content);
    const cached = second.usage?.prompt_tokens_details?.cached_tokens ?? 0;
    expect(cached).toBeLessThan((second.usage?.prompt_tokens ?? 0) / 2);
  });

  it("gives the same text for the same seed", async () => {
    const sample = { model: "tiny", temperature: 1, seed: 7, max_tokens: 24, messages: look(screen) };
    const texts = [];
    for (let run = 0; run < 2; run++) texts.push((await client.chat.completions.create(sample)).choices[0]?.message.content);
    expect(texts[0]).toBe(texts[1]);
  });

  it("counts and cuts at max_tokens, saying length", async () => {
    const answer = await client.chat.completions.create({ ...greedy, max_tokens: 2, messages: look(screen) });
    expect(answer).toMatchObject({ usage: { completion_tokens: 2 }, choices: [{ finish_reason: "length" }] });
  });

  it("refuses a picture that is none, naming the request as the cause", async () => {
    const error = await client.chat.completions.create({ ...greedy, messages: look("data:image/png;base64,bm90IGEgcGljdHVyZQ==") }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 400, code: "invalid_image" });
  });

  it("a prompt beyond the context is a 400 before the stream opens", async () => {
    const words = "word ".repeat(200_000);
    const error = await client.chat.completions.create({ ...greedy, stream: true, messages: [{ role: "user", content: words }] }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded" });
  });

  it("is free for the next client when one leaves, streamed or not", async () => {
    const long = { model: "tiny", temperature: 1, max_tokens: 4000, messages: look(screen) };
    for await (const chunk of await client.chat.completions.create({ ...long, stream: true })) {
      if (chunk.choices[0]?.delta.content) break;
    }
    const controller = new AbortController();
    const left = client.chat.completions.create(long, { signal: controller.signal }).catch(() => "left");
    while ((await places()) === 0);
    controller.abort();
    expect(await left).toBe("left");
    while ((await places()) > 0);
    const next = await client.chat.completions.create({ ...greedy, max_tokens: 4, messages: look(screen) });
    expect(next.usage?.completion_tokens).toBeGreaterThan(0);
  });

  it("answers several clients at once, each with its own picture and sampling", async () => {
    const urls = [screen, await picture("#eeeeee"), await picture("#aa2222")];
    const alone = [];
    for (const url of urls) alone.push((await client.chat.completions.create({ ...greedy, messages: look(url) })).choices[0]?.message.content);
    const together = await Promise.all(urls.map((url) => client.chat.completions.create({ ...greedy, messages: look(url) })));
    expect(together.map((answer) => answer.choices[0]?.message.content)).toEqual(alone);
  });
});

it("close during a generation ends it and frees the engine", async () => {
  const other = await serve({ engine: new ProcessEngine("tiny", { program: ENGINE_PROGRAM }), port: 0, limits: { drainTimeoutMs: 10 } });
  const otherClient = new OpenAI({ baseURL: `${other.url}/v1`, apiKey: "none", maxRetries: 0 });
  const answer = otherClient.chat.completions.create({ model: "tiny", temperature: 1, max_tokens: 4000, messages: look(screen) }).catch((error: unknown) => error);
  while (((await (await fetch(`${other.url}/health`)).json()) as { requests: number }).requests === 0);
  await other.close();
  expect(await answer).toMatchObject({ status: 503, code: "engine_unavailable" });
  await expect(fetch(`${other.url}/health`)).rejects.toThrow();
});
