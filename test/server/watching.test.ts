import { Writable } from "node:stream";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { ScriptedReply } from "../../src/engine/scripted-engine.js";
import { HELLO, PNG_URI, scriptedApp } from "./support.js";

/** Samples of Prometheus' text format, by name and labels. */
async function samples(server: Awaited<ReturnType<typeof scriptedApp>>): Promise<Map<string, number>> {
  const response = await server.app.inject("/metrics");
  expect(response.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = response.body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line): [string, number] => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
}

describe("GET /metrics", () => {
  it("counts requests, tokens and generations, and tells how long they take and what they cost", async () => {
    const replies: ScriptedReply[] = [
      { text: ["a", "b", "c"], usage: { promptTokens: 10, cachedTokens: 4 } },
      { text: ["a", "b"], usage: { promptTokens: 5, cachedTokens: 0 } },
      { text: ["a", "b"], error: new Error("broken"), failAtStep: 1 },
    ];
    await using server = await scriptedApp(replies, { engine: { stats: { rssBytes: 5e8, activeBytes: 3e8, cacheBytes: 1e8, liveTensors: 42 } } });
    await server.answer(HELLO);
    await server.stream(HELLO);
    await server.refusal(HELLO);
    await server.refusal({ ...HELLO, temperature: "hot" });
    await server.app.inject("/nowhere/at/all");
    const found = await samples(server);
    const chat = 'route="POST /v1/chat/completions"';
    expect(found.get(`deskhand_requests_total{${chat},status="200",model="scripted"}`)).toBe(2);
    expect(found.get(`deskhand_requests_total{${chat},status="500",model="scripted"}`)).toBe(1);
    expect(found.get(`deskhand_requests_total{${chat},status="400",model=""}`)).toBe(1);
    expect(found.get('deskhand_requests_total{route="GET unknown",status="404",model=""}')).toBe(1);
    expect(found.get(`deskhand_request_seconds_count{${chat}}`)).toBe(4);
    expect(found.get('deskhand_generations_total{model="scripted",outcome="finished"}')).toBe(2);
    expect(found.get('deskhand_generations_total{model="scripted",outcome="failed"}')).toBe(1);
    expect(found.get('deskhand_tokens_total{model="scripted",kind="prompt"}')).toBe(15);
    expect(found.get('deskhand_tokens_total{model="scripted",kind="cached"}')).toBe(4);
    expect(found.get('deskhand_tokens_total{model="scripted",kind="completion"}')).toBe(5);
    expect(found.get('deskhand_time_to_first_token_seconds_count{model="scripted"}')).toBe(3);
    expect(found.get('deskhand_inter_token_seconds_count{model="scripted"}')).toBe(3);
    expect(found.get('deskhand_queue_requests{model="scripted"}')).toBe(0);
    expect(found.get('deskhand_model_loaded{model="scripted"}')).toBe(1);
    expect(found.get('deskhand_memory_bytes{process="engine",model="scripted",kind="rss"}')).toBe(5e8);
    expect(found.get('deskhand_memory_bytes{process="engine",model="scripted",kind="active"}')).toBe(3e8);
    expect(found.get('deskhand_memory_bytes{process="server",model="",kind="rss"}')).toBeGreaterThan(1e6);
    expect(found.get('deskhand_live_tensors{model="scripted"}')).toBe(42);
    expect(found.get('deskhand_event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0);
  });

  it("needs the key of a server that has one", async () => {
    await using server = await scriptedApp([], { apiKey: "sesame" });
    expect((await server.app.inject("/metrics")).statusCode).toBe(401);
    expect((await server.app.inject({ url: "/metrics", headers: { authorization: "Bearer sesame" } })).statusCode).toBe(200);
  });
});

describe("logs", () => {
  /** Everything a server writes while it answers, refuses and fails, at the most detailed level. */
  async function logOf(options: { logRequests?: boolean }): Promise<Record<string, unknown>[]> {
    const lines: string[] = [];
    const logger = pino({ level: "info" }, new Writable({ write: (chunk: Buffer, _encoding, done) => (lines.push(chunk.toString()), done()) }));
    const error = new Error("the engine broke");
    await using server = await scriptedApp(["secret-answer", "secret-answer", { error }, { text: ["secret-answer"], error, failAtStep: 1 }], { ...options, logger, apiKey: "secret-key" });
    const headers = { authorization: "Bearer secret-key", "x-request-id": "trace-7" };
    const ask = { ...HELLO, messages: [{ role: "user", content: [{ type: "text", text: "secret-prompt" }, { type: "image_url", image_url: { url: PNG_URI } }] }], tools: [{ type: "function", function: { name: "secret-tool" } }] };
    for (const stream of [false, true, false, true]) expect((await server.post({ ...ask, stream }, { headers })).headers["x-request-id"]).toBe("trace-7");
    await server.post({ ...ask, temperature: "secret-temperature" }, { headers });
    await server.post(ask, { headers: { authorization: "Bearer secret-other-key" } });
    await server.app.inject({ method: "POST", url: "/v1/chat/completions?api_key=secret-query", payload: '{"messages": "secret-broken', headers: { ...headers, "content-type": "application/json" } });
    await server.app.inject({ url: "/secret-path", headers });
    expect(lines.join("")).not.toContain("secret-");
    expect(lines.join("")).not.toContain(PNG_URI.slice(30, 60));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it("tell what failed and under which id, and nothing of what was said or which key was shown", async () => {
    const lines = await logOf({});
    expect(lines.map(({ msg, reqId }) => [msg, reqId])).toEqual([["a request failed", "trace-7"], ["a stream failed", "trace-7"]]);
  });

  it("have a line for each request when they are asked for", async () => {
    const lines = (await logOf({ logRequests: true })).filter(({ msg }) => msg === "answered");
    expect(lines).toHaveLength(8);
    expect(lines[0]).toMatchObject({ reqId: "trace-7", method: "POST", route: "/v1/chat/completions", status: 200, model: "scripted" });
    expect(lines.map(({ status }) => status)).toEqual([200, 200, 500, 200, 400, 401, 400, 404]);
    expect(lines[5]?.["reqId"]).toMatch(/^req_/);
  });
});
