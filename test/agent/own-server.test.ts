import { describe, expect, it } from "vitest";
import { ScriptedEngine, type ScriptedReply } from "../../src/engine/scripted-engine.js";
import { serve } from "../../src/server/start.js";
import { withAgent } from "./support/run-agent.js";

/** The agent's requests against our own server's schemas, with an engine that answers from a script. */

function call(args: Record<string, unknown>, text = ""): ScriptedReply {
  return { text, toolCalls: [{ name: "computer_use", arguments: JSON.stringify(args) }], timings: { processMs: 4, prefillMs: 50, decodeMs: 6 } };
}

describe("with our own server", () => {
  it("holds a whole conversation of calls, corrections and pictures", async () => {
    const script = [
      call({ action: "left_click", coordinate: [500, 500] }, "Action: focus the field"),
      { text: "Let me think about that." },
      call({ action: "type", text: "héllo 😀" }),
      ...Array.from({ length: 9 }, () => call({ action: "scroll", pixels: -100 })),
      call({ action: "terminate", status: "success" }),
    ];
    const engine = new ScriptedEngine(script, { info: { id: "Qwen3-VL-test" } });
    await using server = await serve({ engine, port: 0 });
    await withAgent([], async ({ agent, computer }) => {
      const result = await agent.run("write a greeting");
      expect(result).toMatchObject({ success: true, steps: 12 });
      expect(computer.events).toContainEqual({ type: "type", text: "héllo 😀" });
    }, { agent: { baseURL: server.url, model: "Qwen3-VL-test", readLabels: false }, computer: { paint: (frame, { events }) => frame.data.fill(8 * events.length, 0, 400) } });

    expect(engine.requests).toHaveLength(13);
    expect(engine.requests[0]).toMatchObject({ temperature: 0, repetitionPenalty: 1, tools: [{ name: "computer_use" }] });
    const roles = engine.requests[3]!.messages.map(({ role }) => role);
    expect(roles).toEqual(["system", "user", "assistant", "tool", "user", "assistant", "tool", "user"]);
    const pictures = (index: number) => engine.requests[index]!.messages.flatMap(({ content }) => (typeof content === "string" ? [] : content)).filter(({ type }) => type === "image").length;
    // The second try of a step shows nothing new; pictures are dropped only from time to time.
    expect([0, 1, 2, 3, 8, 9, 12].map(pictures)).toEqual([1, 2, 2, 3, 8, 2, 5]);
  });

  it("takes the server's own times", async () => {
    const engine = new ScriptedEngine([call({ action: "terminate", status: "success" })], { info: { id: "qwen3-vl" } });
    await using server = await serve({ engine, port: 0 });
    await withAgent([], async ({ computer, dir }) => {
      const { Agent } = await import("../../src/agent/agent.js");
      const prefill: number[] = [];
      await new Agent({ baseURL: server.url, computer, outDir: dir, onEvent: (event) => event.type === "step_ended" && prefill.push(event.line.timings.prefillMs, event.line.timings.decodeMs) }).run("go");
      expect(prefill).toEqual([54, 6]);
    });
  });

  it("cancels the generation within one step when the run is aborted", async () => {
    const abort = new AbortController();
    const forever = function* () {
      for (;;) yield "word ";
    };
    const engine = new ScriptedEngine([{ text: forever(), beforeStep: (step) => (step === 20 ? abort.abort() : undefined) }], { info: { id: "qwen3-vl" } });
    await using server = await serve({ engine, port: 0 });
    await withAgent([], async ({ agent }) => {
      expect(await agent.run("go", { signal: abort.signal })).toMatchObject({ stop: "aborted" });
      while (engine.running > 0) await new Promise((resolve) => setImmediate(resolve));
      expect(engine.outcomes).toEqual(["cancelled"]);
    }, { agent: { baseURL: server.url, model: "qwen3-vl" } });
  });
});
