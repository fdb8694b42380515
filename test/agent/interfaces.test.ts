import { describe, expect, it } from "vitest";
import type { AgentOptions } from "../../src/agent/agent.js";
import type { Approver } from "../../src/agent/safety/approver.js";
import { computerCall, finishCall } from "./support/events.js";
import { message, response } from "./support/replies.js";
import { readTrajectory, withAgent } from "./support/run-agent.js";

const CHECK = { id: "sc_1", code: "malicious_instructions", message: "The page asks for it." };

function person(answer: string | undefined): Approver & { questions: string[] } {
  const questions: string[] = [];
  return {
    questions,
    approve: async () => ({ kind: "approve" }),
    ask: async (question) => {
      questions.push(question);
      return answer;
    },
  };
}

describe("Anthropic's messages", () => {
  const CLAUDE: AgentOptions = { model: "claude-opus-4-5", apiKey: "secret-key" };

  it("are asked for and read as they stream, with the key where that interface wants it", async () => {
    const replies = [message({ text: "I click." }, { call: "computer", input: { action: "left_click", coordinate: [32, 24] } }), message({ call: "finish", input: { success: true, message: "Saved." } })];
    await withAgent(replies, async ({ agent, server, computer }) => {
      const result = await agent.run("save it");
      expect(result).toMatchObject({ success: true, reason: "Saved.", steps: 2 });
      expect(computer.events[0]).toEqual({ type: "move", to: { x: 32, y: 24 } });
      expect(server.heads[0]).toMatchObject({ path: "/v1/messages", headers: { "x-api-key": "secret-key", "anthropic-version": "2023-06-01", "anthropic-beta": "computer-use-2025-11-24" } });
      expect(server.heads[0]!.headers).not.toHaveProperty("authorization");
      expect(server.requests[0]).toMatchObject({ model: "claude-opus-4-5", max_tokens: 4096, tools: [{ type: "computer_20251124", display_width_px: 640, display_height_px: 480 }, {}] });
      const { steps } = await readTrajectory(result);
      expect(steps[0]!.replies).toMatchObject([{ text: "I click.", usage: { promptTokens: 100, cachedTokens: 50, completionTokens: 9 } }]);
    }, { agent: CLAUDE });
  });

  it("keep the coordinates of the screen after a zoom", async () => {
    const replies = [message({ call: "computer", input: { action: "zoom", region: [320, 240, 480, 360] } }), message({ call: "computer", input: { action: "left_click", coordinate: [400, 300] } }), message({ call: "finish", input: { success: true } })];
    await withAgent(replies, async ({ agent, computer, server }) => {
      const result = await agent.run("go");
      expect(computer.events[0]).toEqual({ type: "move", to: { x: 400, y: 300 } });
      expect(JSON.stringify(server.requests[1]!.tools)).toBe(JSON.stringify(server.requests[0]!.tools));
      expect((await readTrajectory(result)).steps[1]!.chain).toMatchObject({ sent: { width: 640, height: 480 }, display: { x: 0, y: 0, width: 640, height: 480 } });
    }, { agent: CLAUDE });
  });

  it("that break off are an error", async () => {
    await withAgent([{ events: message({ text: "I click." }).events!.slice(0, 4) }], async ({ agent }) => {
      expect(await agent.run("go")).toMatchObject({ success: false, stop: "error", reason: /ended before the message was finished/ });
    }, { agent: CLAUDE });
  });
});

describe("OpenAI's responses", () => {
  const GPT: AgentOptions = { model: "gpt-5.4", confirm: "never" };

  it("are asked for without being stored, and read as they stream", async () => {
    const replies = [response(computerCall([{ type: "click", x: 5, y: 6, button: "left" }, { type: "type", text: "Ada" }])), response(finishCall)];
    await withAgent(replies, async ({ agent, server, computer }) => {
      expect(await agent.run("go")).toMatchObject({ success: true, steps: 2 });
      expect(computer.events.map(({ type }) => type)).toEqual(["move", "click", "type", "releaseAll"]);
      expect(server.heads[0]!.path).toBe("/v1/responses");
      expect(server.requests[0]).toMatchObject({ store: false, truncation: "auto", tools: [{ type: "computer" }, { type: "function", name: "finish" }] });
      expect(JSON.stringify(server.requests[1])).toContain('"computer_call_output","call_id":"call_1"');
    }, { agent: GPT });
  });

  it("of the older tool have one action each", async () => {
    const { actions: _several, ...call } = computerCall([]) as { actions: object[] };
    const replies = [response({ ...call, action: { type: "double_click", x: 5, y: 6 } }), response({ ...call, action: { type: "keypress", keys: ["CTRL", "S"] } }), response(finishCall)];
    await withAgent(replies, async ({ agent, server, computer }) => {
      expect(await agent.run("go")).toMatchObject({ success: true, steps: 3 });
      expect(computer.events.slice(0, 3)).toMatchObject([{ type: "move", to: { x: 5, y: 6 } }, { type: "click", count: 2 }, { type: "chord", keys: ["CTRL", "S"] }]);
      expect(server.requests[0]).toMatchObject({ tools: [{ type: "computer_use_preview", display_width: 640, display_height: 480, environment: "linux" }, {}] });
    }, { agent: { ...GPT, model: "computer-use-preview" } });
  });

  it("with safety checks are put to a person, and acknowledged when the person agrees", async () => {
    const approver = person("yes");
    await withAgent([response(computerCall([{ type: "screenshot" }], [CHECK])), response(finishCall)], async ({ agent, server }) => {
      expect(await agent.run("go")).toMatchObject({ success: true });
      expect(approver.questions).toEqual([expect.stringContaining(CHECK.message)]);
      expect(JSON.stringify(server.requests[1])).toContain('"acknowledged_safety_checks":[{"id":"sc_1"');
    }, { agent: { ...GPT, approver } });
  });

  it.each([
    ["nobody is there", undefined, "refused"],
    ["a person says no", person("no"), "person"],
    ["a person says nothing", person(undefined), "person"],
  ] as const)("with safety checks stop the run when %s, and nothing is done or acknowledged", async (_, approver, stop) => {
    await withAgent([response(computerCall([{ type: "click", x: 5, y: 6, button: "left" }], [CHECK])), response(finishCall)], async ({ agent, server, computer }) => {
      expect(await agent.run("go")).toMatchObject({ success: false, stop, reason: expect.stringContaining(CHECK.message) as string });
      expect(computer.events).toEqual([{ type: "releaseAll" }]);
      expect(server.requests).toHaveLength(1);
    }, { agent: { ...GPT, ...(approver && { approver }) } });
  });
});
