import { getEventListeners, once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ModelClient, type ModelRequest } from "../../src/agent/model-client.js";
import { ScriptedServer, type ScriptedReply } from "./support/scripted-server.js";

const REQUEST: ModelRequest = { messages: [{ role: "user", content: "hello" }], tools: [], sampling: { temperature: 0, repetition_penalty: 1, max_tokens: 9 } };

async function ask(scripted: ScriptedReply, more: Partial<ModelRequest> = {}) {
  await using server = await ScriptedServer.start([scripted]);
  const reply = await new ModelClient({ baseURL: server.url }).complete("m", { ...REQUEST, ...more });
  return { reply, request: server.requests[0]! };
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

describe("model client", () => {
  it("joins a streamed reply: text, calls, usage and the server's times", async () => {
    const heard: string[] = [];
    const { reply, request } = await ask(
      {
        text: "Action: type 日本 😀",
        toolCalls: [
          { name: "computer_use", arguments: "{\"action\": \"left_click\"}" },
          { name: "computer_use", arguments: "{\"action\": \"type\", \"text\": \"日本\"}" },
        ],
        usage: { prompt_tokens: 321, completion_tokens: 12, total_tokens: 333, prompt_tokens_details: { cached_tokens: 300 } },
        timings: { process_ms: 1, prefill_ms: 20, decode_ms: 30 },
      },
      { onText: (text) => heard.push(text) },
    );
    expect(reply).toMatchObject({
      text: "Action: type 日本 😀",
      toolCalls: [
        { id: "call-0", name: "computer_use", arguments: "{\"action\": \"left_click\"}" },
        { id: "call-1", name: "computer_use", arguments: "{\"action\": \"type\", \"text\": \"日本\"}" },
      ],
      finishReason: "tool_calls",
      usage: { promptTokens: 321, completionTokens: 12, cachedTokens: 300 },
      serverTimings: { process_ms: 1, prefill_ms: 20, decode_ms: 30 },
    });
    expect(heard.length).toBeGreaterThan(1);
    expect(heard.join("")).toBe("Action: type 日本 😀");
    expect(request).toMatchObject({ model: "m", stream: true, stream_options: { include_usage: true }, temperature: 0, repetition_penalty: 1, max_tokens: 9 });
    expect(request).not.toHaveProperty("tools");
  });

  it("does without times and cached tokens", async () => {
    const { reply } = await ask({ text: "hi" });
    expect(reply.serverTimings).toBeUndefined();
    expect(reply.usage).toEqual({ promptTokens: 10, completionTokens: 5, cachedTokens: undefined });
    expect(reply.totalMs).toBeGreaterThanOrEqual(reply.firstPieceMs);
  });

  it("lists models", async () => {
    await using server = await ScriptedServer.start([], { models: ["a", "b"] });
    expect(await new ModelClient({ baseURL: server.url }).listModels()).toEqual(["a", "b"]);
  });

  it.each(["http://127.0.0.1:PORT", "http://127.0.0.1:PORT/", "http://127.0.0.1:PORT/v1", "http://127.0.0.1:PORT/v1/"])("finds the API from %s", async (address) => {
    await using server = await ScriptedServer.start([{ text: "hi" }]);
    const client = new ModelClient({ baseURL: address.replace("PORT", String(server.port)) });
    expect((await client.complete("m", REQUEST)).text).toBe("hi");
  });

  it.each(["127.0.0.1:8000", "localhost", "file:///etc/passwd", ""])("refuses the address %j", (baseURL) => {
    expect(() => new ModelClient({ baseURL })).toThrow(/Expected a base URL such as http/);
  });

  it.each(["http://ada:hunter22@x/v1", "http://x/v1?key=hunter22", "http://hunter22@x/"])("takes no address with a secret in it, since that is recorded: %s", (baseURL) => {
    expect(() => new ModelClient({ baseURL })).toThrow(/without a user, a password or a query.*OPENAI_API_KEY/);
    expect(() => new ModelClient({ baseURL })).not.toThrow(/hunter22/);
  });

  it("says a key in no message, even where the server repeats it", async () => {
    await using server = await ScriptedServer.start([{ status: 401, body: { error: { message: "Incorrect API key provided: sk-hunter22" } } }]);
    const asked = new ModelClient({ baseURL: server.url, apiKey: "sk-hunter22" }).complete("m", REQUEST);
    await expect(asked).rejects.toMatchObject({ code: "model_server", message: expect.stringContaining("Incorrect API key provided: (the key).") as string });
  });

  it("leaves at once when aborted in mid-stream: the server sees the connection close", async () => {
    await using server = await ScriptedServer.start([{ text: "Action: cl", hang: true }]);
    const abort = new AbortController();
    const asking = new ModelClient({ baseURL: server.url }).complete("m", { ...REQUEST, signal: abort.signal, onText: () => abort.abort() });
    await expect(asking).rejects.toMatchObject({ code: "cancelled" });
    await server.left;
  });

  it("leaves no listeners behind on the signal of a long run", async () => {
    await using server = await ScriptedServer.start(Array.from({ length: 3 }, () => ({ text: "hi" })));
    const { signal } = new AbortController();
    const client = new ModelClient({ baseURL: server.url });
    for (let index = 0; index < 3; index++) await client.complete("m", { ...REQUEST, signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("does not ask at all when aborted before", async () => {
    await using server = await ScriptedServer.start([{ text: "hi" }]);
    await expect(new ModelClient({ baseURL: server.url }).complete("m", { ...REQUEST, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
    expect(server.requests).toEqual([]);
  });

  it("connects to a server that begins to listen just after the first try", async () => {
    const port = await freePort();
    const asking = new ModelClient({ baseURL: `http://127.0.0.1:${port}/v1` }).complete("m", REQUEST);
    await delay(100);
    await using _server = await ScriptedServer.start([{ text: "late" }], { port });
    expect((await asking).text).toBe("late");
  });

  it("says where it tried and what to do when nobody listens", async () => {
    const baseURL = `http://127.0.0.1:${await freePort()}/v1`;
    await expect(new ModelClient({ baseURL }).complete("m", REQUEST)).rejects.toMatchObject({ code: "model_server", message: expect.stringMatching(new RegExp(`${baseURL}.*refused.*deskhand serve`)) as string });
  });

  it.each([
    [{ status: 500, body: { error: { message: "the engine is gone" } } }, /status 500: the engine is gone\. See the server's log/],
    [{ status: 401, body: { error: { message: "no key" } } }, /status 401: no key\. Give the key/],
    [{ status: 404, body: { error: { message: "model m not found" } } }, /status 404: model m not found\. Check the model's name/],
    [{ status: 429, body: { error: { message: "queue full" } } }, /status 429: queue full\. It is busy/],
    [{ text: "half", cut: true }, /the stream ended before the reply was finished/],
    [{ text: "half", errorEvent: { message: "out of memory" } }, /mid-stream: out of memory/],
  ] satisfies [ScriptedReply, RegExp][])("explains %o, and asks only once", async (scripted, message) => {
    await using server = await ScriptedServer.start([scripted, { text: "second" }]);
    await expect(new ModelClient({ baseURL: server.url }).complete("m", REQUEST)).rejects.toMatchObject({ code: "model_server", message: expect.stringMatching(message) as string });
    expect(server.requests).toHaveLength(1);
  });
});
