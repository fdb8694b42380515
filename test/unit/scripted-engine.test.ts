import { describe, expect, it } from "vitest";
import type { InferenceEvent } from "../../src/engine/inference.js";
import { ScriptedEngine, type Script } from "../../src/engine/scripted-engine.js";

const request = { messages: [{ role: "user" as const, content: "hello" }] };

async function started(script: Script): Promise<ScriptedEngine> {
  const engine = new ScriptedEngine(script);
  await engine.start();
  return engine;
}

async function eventsOf(events: AsyncIterable<InferenceEvent>): Promise<InferenceEvent[]> {
  const all: InferenceEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

function* forEver(): Generator<string> {
  for (;;) yield "x";
}

describe("the scripted engine keeps the contract of Inference", () => {
  it("yields deltas, then exactly one finish with the joined calls", async () => {
    const engine = await started([{ text: ["a", "b"], toolCalls: [{ name: "f", arguments: ['{"x"', ":1}"] }] }]);
    const events = await eventsOf(engine.generate(request));
    expect(events.map(({ type }) => type)).toEqual(["text", "text", "tool_call", "tool_call_arguments", "tool_call_arguments", "finish"]);
    expect(events.at(-1)).toMatchObject({ finishReason: "tool_calls", usage: { completionTokens: 5 }, toolCalls: [{ id: "call_0", name: "f", arguments: '{"x":1}' }] });
  });

  it("stops within one step of an abort, with a cancelled error", async () => {
    const engine = await started([{ text: forEver() }]);
    const controller = new AbortController();
    const read = async () => {
      for await (const _ of engine.generate(request, { signal: controller.signal })) if (engine.steps === 3) controller.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: "cancelled" });
    expect(engine.steps).toBe(4);
    expect(engine.outcomes).toEqual(["cancelled"]);
  });

  it("is cancelled by leaving the iteration", async () => {
    const engine = await started([{ text: forEver() }]);
    for await (const _ of engine.generate(request)) break;
    expect(engine.outcomes).toEqual(["cancelled"]);
    expect(engine.running).toBe(0);
  });

  it("fails where the script says, refuses without start, and says when the script is over", async () => {
    const engine = await started([{ text: "a", error: new Error("broken"), failAtStep: 1 }]);
    await expect(eventsOf(engine.generate(request))).rejects.toThrow("broken");
    await expect(eventsOf(engine.generate(request))).rejects.toThrow(/no reply for request 2/);
    await expect(eventsOf(new ScriptedEngine(["x"]).generate(request))).rejects.toMatchObject({ code: "engine_unavailable" });
  });
});
