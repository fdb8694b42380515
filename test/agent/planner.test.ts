import { describe, expect, it } from "vitest";
import { Action, type ActionInput } from "../../src/agent/actions.js";
import { Agent } from "../../src/agent/agent.js";
import { planner } from "../../src/agent/dialects/planner.js";
import { modelToScreen } from "../../src/agent/coordinates.js";
import { IDENTITY, reply, toolReply } from "./support/replies.js";
import { readTrajectory, withAgent } from "./support/run-agent.js";
import { ScriptedServer, type ScriptedReply } from "./support/scripted-server.js";

/** Where each thing is on the 1000 × 1000 display. */
const PLACES: Record<string, { x: number; y: number }> = { "the OK button": { x: 300, y: 400 }, "the bin": { x: 0, y: 0 } };

async function plannedAs(name: string, args: object): Promise<Action[]> {
  const given = reply({ toolCalls: [{ id: "1", name, arguments: JSON.stringify(args) }] });
  const { actions } = await planner.ground!(given, async (words) => modelToScreen(IDENTITY, PLACES[words]!));
  return actions.map(({ action }) => action);
}

describe("a planner", () => {
  it.each<[string, object, ActionInput]>([
    ["click", { target: "the OK button" }, { type: "click", at: { x: 300, y: 400 } }],
    ["click", { target: "the OK button", button: "right", clicks: 2, hold_keys: ["ctrl"] }, { type: "click", at: { x: 300, y: 400 }, button: "right", count: 2, held: ["ctrl"] }],
    ["move", { target: "the bin" }, { type: "move", to: { x: 0, y: 0 } }],
    ["drag", { from: "the bin", to: "the OK button" }, { type: "drag", from: { x: 0, y: 0 }, to: { x: 300, y: 400 } }],
    ["scroll", { target: "the bin", direction: "right", clicks: 2 }, { type: "scroll", at: { x: 0, y: 0 }, left: -2 }],
    ["scroll", { direction: "up", clicks: 1 }, { type: "scroll", up: 1 }],
    ["type", { text: " Ada " }, { type: "type", text: " Ada " }],
    ["key", { keys: ["ctrl", "s"] }, { type: "key", keys: ["ctrl", "s"] }],
    ["wait", { seconds: 1 }, { type: "wait", ms: 1000 }],
    ["ask", { question: "Which?" }, { type: "ask", question: "Which?" }],
    ["answer", { text: "42" }, { type: "answer", text: "42" }],
    ["finish", { success: false, message: "No." }, { type: "terminate", success: false, message: "No." }],
  ])("%s %o", async (name, args, action) => {
    expect(await plannedAs(name, args)).toEqual([Action.parse(action)]);
  });

  it.each<[string, object, RegExp]>([
    ["fly", {}, /click, move.*"fly"/],
    ["click", {}, /target/],
    ["click", { target: "x", coordinate: [1, 2] }, /coordinate/],
    ["drag", { from: "x" }, /to/],
    ["finish", {}, /success/],
  ])("is refused %s %o", async (name, args, why) => {
    await expect(plannedAs(name, args)).rejects.toMatchObject({ code: "model_output", message: expect.stringMatching(why) as string });
  });
});

const CLICK: ScriptedReply = { text: "I press OK.", toolCalls: [{ name: "click", arguments: "{\"target\": \"the OK button\"}" }] };
const FINISH: ScriptedReply = { toolCalls: [{ name: "finish", arguments: "{\"success\": true}" }] };

describe("a planner and a grounder", () => {
  async function run<T>(plans: ScriptedReply[], places: ScriptedReply[], use: (result: Awaited<ReturnType<Agent["run"]>>, servers: { planning: ScriptedServer; grounding: ScriptedServer }, events: readonly unknown[]) => Promise<T>, task = "press OK"): Promise<T> {
    await using planning = await ScriptedServer.start(plans, { models: ["big"] });
    await using grounding = await ScriptedServer.start(places, { models: ["UI-TARS-1.5-7B"] });
    return await withAgent([], async ({ computer, dir }) => {
      const agent = new Agent({ planner: "big", plannerURL: planning.url, grounderURL: grounding.url, computer, outDir: dir, secretSource: async () => "hunter22" });
      return use(await agent.run(task), { planning, grounding }, computer.events);
    });
  }

  it("work together: words from one, the point from the other, each on its own server and with its own picture", async () => {
    // 644 × 476 is what this grounder gets of 640 × 480.
    await run([CLICK, FINISH], [{ text: "Thought: There.\nAction: click(start_box='(322,238)')" }], async (result, { planning, grounding }, events) => {
      expect(result).toMatchObject({ success: true, steps: 2 });
      expect(events.slice(0, 2)).toEqual([{ type: "move", to: { x: 320, y: 240 } }, { type: "click", button: "left", count: 1, at: { x: 320, y: 240 } }]);
      expect(planning.requests.map(({ model }) => model)).toEqual(["big", "big"]);
      expect(JSON.stringify(planning.requests[0])).not.toContain("coordinate");
      expect(grounding.requests.map(({ model }) => model)).toEqual(["UI-TARS-1.5-7B"]);
      expect(JSON.stringify(grounding.requests[0]!.messages)).toContain("Click this and nothing else: the OK button");
      const { run, steps } = await readTrajectory(result);
      expect(run).toMatchObject({ model: "big", dialect: "planner", grounder: { model: "UI-TARS-1.5-7B", dialect: "ui-tars-1.5" } });
      expect(steps[0]).toMatchObject({ summary: "I press OK.", replies: [{ text: "I press OK." }, { target: "the OK button", text: expect.stringContaining("322,238") as string }], actions: [{ points: [{ os: { x: 320, y: 240 } }] }] });
    });
  });

  it("are judged by the target too, whatever the planner says beside it", async () => {
    const hidden: ScriptedReply = { text: "I press OK.", toolCalls: [{ name: "click", arguments: '{"target": "the Delete button"}' }] };
    await run([hidden, FINISH], [{ text: "Action: click(start_box='(322,238)')" }], async (result, _servers, events) => {
      expect((await readTrajectory(result)).steps[0]!.notDone).toMatch(/may delete something/);
      expect(events).toEqual([{ type: "releaseAll" }, { type: "releaseAll" }]);
    });
  });

  it("tell each other no secrets", async () => {
    const reads: ScriptedReply = { text: "I press OK.", toolCalls: [{ name: "click", arguments: '{"target": "the field that shows hunter22"}' }] };
    await run([reads, FINISH], [{ text: "Action: click(start_box='(322,238)')" }], async (result, { planning, grounding }) => {
      expect(result.success).toBe(true);
      expect(JSON.stringify(grounding.requests)).toContain("the field that shows {{secret:PIN}}");
      expect(JSON.stringify([grounding.requests, planning.requests, await readTrajectory(result)])).not.toContain("hunter22");
    }, "press OK after {{secret:PIN}}");
  });

  it("tell the planner once what was not found", async () => {
    await run([CLICK, FINISH], [{ text: "I cannot see it." }], async (result, { planning }) => {
      expect(result).toMatchObject({ success: true, steps: 1 });
      expect(JSON.stringify(planning.requests[1]!.messages)).toMatch(/the OK button.{1,3} was not found/);
    });
  });

  it.each([
    [{ planner: "big" }, /--grounder/],
    [{ grounder: "qwen" }, /--planner/],
    [{ model: "qwen", planner: "big", grounder: "qwen" }, /either --model or/],
    [{ planner: "big", grounder: "gpt-4o", baseURL: "http://127.0.0.1:9" }, /gpt-4o/],
    [{ model: "big", dialect: "planner", baseURL: "http://127.0.0.1:9" }, /planner/],
  ])("are named both or not at all: %o", async (options, why) => {
    await expect(new Agent(options).run("go")).rejects.toThrow(why);
  });
});

it("a single model's calls are not taken for a plan", async () => {
  await withAgent([toolReply({ action: "terminate", status: "success" })], async ({ agent }) => {
    expect(await agent.run("go")).toMatchObject({ success: true });
  }, { agent: { model: "qwen" } });
});
