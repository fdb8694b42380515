import { describe, expect, it } from "vitest";
import { GenerationQueue } from "../../src/server/generation-queue.js";
import { deferred, HELLO, scriptedApp, until } from "./support.js";

describe("the generation queue", () => {
  it("lets one run at a time, in order of arrival, and refuses beyond its bound", async () => {
    const queue = new GenerationQueue({ maxConcurrent: 1, maxWaiting: 2 });
    const { signal } = new AbortController();
    const order: number[] = [];
    const places = [0, 1, 2].map(() => queue.reserve());
    const turns = places.map((place, index) => place.turn(signal).then(() => order.push(index)));
    expect(() => queue.reserve()).toThrow(/2 requests are already waiting/);
    for (const [index, turn] of turns.entries()) {
      await turn;
      expect(order).toEqual([0, 1, 2].slice(0, index + 1));
      places[index]?.[Symbol.dispose]();
    }
    expect(queue.places).toBe(0);
  });

  it("frees the place of one that leaves while waiting, and passes the turn on to the next", async () => {
    const queue = new GenerationQueue({ maxConcurrent: 1, maxWaiting: 1 });
    const stay = new AbortController();
    const leaves = new AbortController();
    const first = queue.reserve();
    await first.turn(stay.signal);
    const second = queue.reserve();
    const left = second.turn(leaves.signal);
    expect(() => queue.reserve()).toThrow();
    leaves.abort();
    await expect(left).rejects.toMatchObject({ code: "cancelled" });
    second[Symbol.dispose]();
    const third = queue.reserve();
    const turn = third.turn(stay.signal);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await turn;
    third[Symbol.dispose]();
    expect(queue.places).toBe(0);
  });
});

describe("over HTTP", () => {
  it("answers as many requests at once as it may, and keeps the rest waiting", async () => {
    const gate = deferred();
    await using server = await scriptedApp(() => ({ text: "ok", beforeStep: () => gate.promise }), { limits: { maxConcurrent: 3, maxWaiting: 2 } });
    const accepted = Array.from({ length: 5 }, () => server.post(HELLO));
    await until(() => server.engine.running === 3);
    expect((await server.refusal(HELLO)).status).toBe(429);
    gate.resolve();
    for (const response of await Promise.all(accepted)) expect(response.statusCode).toBe(200);
    expect(server.engine.maxRunning).toBe(3);
  });

  it("answers one request at a time where it may no more, and 429 with Retry-After beyond the queue", async () => {
    const gate = deferred();
    await using server = await scriptedApp(() => ({ text: "ok", beforeStep: () => gate.promise }), { limits: { maxConcurrent: 1, maxWaiting: 2 } });
    const accepted = [server.post(HELLO), server.post({ ...HELLO, stream: true }), server.post(HELLO)];
    await until(() => server.engine.running === 1);
    const health = await server.app.inject("/health");
    expect(health.json()).toMatchObject({ status: "ok", requests: 3 });
    const refusal = await server.refusal(HELLO);
    expect(refusal).toMatchObject({ status: 429, type: "rate_limit_error", code: "queue_full" });
    expect(Number(refusal.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    gate.resolve();
    for (const response of await Promise.all(accepted)) expect(response.statusCode).toBe(200);
    expect(server.engine.maxRunning).toBe(1);
    expect((await server.post(HELLO)).statusCode).toBe(200);
  });

  it("a refused or failed request gives its place back", async () => {
    await using server = await scriptedApp((_, index) => (index === 0 ? { error: new Error("broken") } : "ok"), { limits: { maxConcurrent: 1, maxWaiting: 0 } });
    expect((await server.refusal(HELLO)).status).toBe(500);
    const badPicture = { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "file:///x" } }] }] };
    expect((await server.refusal(badPicture)).status).toBe(400);
    expect((await server.answer(HELLO)).choices[0]?.message.content).toBe("ok");
  });
});
