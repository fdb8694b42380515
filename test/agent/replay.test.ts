import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Action, ActionInput } from "../../src/agent/actions.js";
import { Action as ActionSchema } from "../../src/agent/actions.js";
import { Agent, type AgentOptions } from "../../src/agent/agent.js";
import { defineTool } from "../../src/agent/custom-tools.js";
import { DIALECT_NAMES } from "../../src/agent/dialects/index.js";
import type { Screenshot } from "../../src/agent/computer/computer.js";
import { MemoryComputer } from "../../src/agent/computer/memory.js";
import type { StepLine, TrajectoryLine } from "../../src/agent/recorder/records.js";
import { compareActions } from "../../src/agent/replay/compare.js";
import { replayWithModel } from "../../src/agent/replay/model-replay.js";
import { replayParse } from "../../src/agent/replay/parse-replay.js";
import { readTrajectory } from "../../src/agent/replay/read-trajectory.js";
import { SimpleEngine } from "../../src/engine/simple-engine.js";
import { serve } from "../../src/server/start.js";
import { FAMILY_RUNS } from "./support/every-dialect.js";
import { person } from "./support/people.js";
import { tinyReply, toolReply } from "./support/replies.js";
import { RUN, withAgent } from "./support/run-agent.js";
import { ScriptedServer, type ScriptedReply } from "./support/scripted-server.js";

const CLICK = toolReply({ action: "left_click", coordinate: [500, 500] }, "Action: click OK");
const DONE = toolReply({ action: "terminate", status: "success" });
const QWEN: AgentOptions = { model: "qwen", confirm: "never" };
const EXACT = { tolerancePx: 0, apiKey: "key" };

/** A screen that looks different after every event, so that no two screenshots are the same. */
function paint(frame: Screenshot, { events }: MemoryComputer): void {
  for (let at = 0; at < frame.data.length; at += 4) frame.data[at] = (at / 64 + events.length * 29) % 256;
}
const COMPUTER = { widthPx: 1000, heightPx: 700, x: -1000, y: 40, scale: 1.5, paint };

async function edit(dir: string, change: (lines: TrajectoryLine[]) => void): Promise<void> {
  const path = join(dir, "trajectory.jsonl");
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n").map((line) => JSON.parse(line) as TrajectoryLine);
  change(lines);
  await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

describe("a replay", () => {
  it("is tried with every dialect", () => {
    expect(FAMILY_RUNS.map(({ dialect }) => dialect).sort()).toEqual([...DIALECT_NAMES].sort());
  });

  it.each(FAMILY_RUNS)("of a run in $dialect sends the same requests to the letter, and reads the same actions", async ({ dialect, model, replies }) => {
    await withAgent(replies, async ({ agent, computer, server, dir }) => {
      expect(await agent.run("write down Ada")).toMatchObject({ success: true });
      const [captures, events] = [computer.captures, computer.events.length];
      const trajectory = await readTrajectory(dir);
      expect(trajectory).toMatchObject({ run: { dialect }, notes: [] });
      const parsed = await replayParse(trajectory);
      expect(parsed).toMatchObject({ replay: "parse", counts: { same: trajectory.steps.length, different: 0, unusable: 0, skipped: 0 }, today: { dialect } });

      await using again = await ScriptedServer.start(replies);
      const asked = await replayWithModel(trajectory, { ...EXACT, model, baseURL: again.url });
      expect(again.requests).toEqual(server.requests);
      expect(asked).toMatchObject({ counts: parsed.counts, today: { model, dialect } });
      expect([computer.captures, computer.events.length]).toEqual([captures, events]);
    }, { agent: { model, apiKey: "key", confirm: "never" }, computer: COMPUTER });
  });

  it("of a planner and a grounder asks both the same again", async () => {
    const plan = (target: string): ScriptedReply => ({ text: "I press it.", toolCalls: [{ name: "click", arguments: JSON.stringify({ target }) }] });
    const plans = [plan("the OK button"), plan("the unicorn"), plan("the other button"), { toolCalls: [{ name: "drag", arguments: '{"from": "this", "to": "that"}' }] }, { toolCalls: [{ name: "finish", arguments: '{"success": true}' }] }];
    const places = ["click(start_box='(322,238)')", "wait()", "click(start_box='(100,100)')", "click(start_box='(5,6)')", "click(start_box='(7,8)')"].map((call) => ({ text: `Action: ${call}` }));
    const models = { planner: "big", grounder: "UI-TARS-1.5-7B" };
    await using planning = await ScriptedServer.start(plans);
    await using grounding = await ScriptedServer.start(places);
    await withAgent([], async ({ dir }) => {
      // A screen that both take as it is: of another only what the planner was sent is left.
      const agent = new Agent({ ...models, plannerURL: planning.url, grounderURL: grounding.url, computer: new MemoryComputer({ ...COMPUTER, widthPx: 896, heightPx: 672, scale: 1 }), outDir: dir, confirm: "never" });
      expect(await agent.run("press OK")).toMatchObject({ success: true, steps: 4 });
      const trajectory = await readTrajectory(dir);
      expect((await replayParse(trajectory)).counts).toMatchObject({ same: 4, different: 0 });
      await using planningAgain = await ScriptedServer.start(plans);
      await using groundingAgain = await ScriptedServer.start(places);
      const { counts } = await replayWithModel(trajectory, { ...EXACT, ...models, plannerURL: planningAgain.url, grounderURL: groundingAgain.url });
      expect(counts).toMatchObject({ same: 4 });
      expect([planningAgain.requests, groundingAgain.requests]).toEqual([planning.requests, grounding.requests]);
    });
  });

  it("repeats what the model was told, and the enlarged place it was shown, and what was refused", async () => {
    const approver = person("refuse", "click OK once more");
    const replies = [...Array.from({ length: 4 }, () => CLICK), toolReply({ action: "key", keys: ["alt", "F4"] }, "Action: close it"), DONE];
    await withAgent(replies, async ({ agent, server, dir }) => {
      expect(await agent.run("press OK")).toMatchObject({ success: true, steps: 6 });
      const trajectory = await readTrajectory(dir);
      expect(trajectory.steps.map(({ notice }) => notice?.slice(0, 8))).toEqual([undefined, undefined, "Note: \"c", "Note: \"c", "The user", "Refused:"]);
      expect(trajectory.steps.flatMap(({ noticePicture }) => noticePicture ?? [])).toEqual(["step-004-notice.png"]);
      await using again = await ScriptedServer.start(replies);
      expect((await replayWithModel(trajectory, { ...EXACT, model: "qwen", baseURL: again.url })).counts).toMatchObject({ same: 6 });
      expect(again.requests).toEqual(server.requests);
    }, { agent: { model: "qwen", approver } });
  });

  it("offers the program's functions again, tells what they returned then, and runs none", async () => {
    let ran = 0;
    const tool = defineTool({ name: "look_up", description: "Looks up a name.", parameters: z.object({ name: z.string(), exact: z.boolean().optional() }), risk: "harmless", execute: ({ name }) => `${name} ${++ran}` });
    const replies = [{ toolCalls: [{ name: "look_up", arguments: '{"name": "Ada"}' }] }, { toolCalls: [{ name: "look_up", arguments: '{"nam": "Ada"}' }] }, CLICK, DONE];
    await withAgent(replies, async ({ agent, server, dir }) => {
      expect(await agent.run("look up Ada")).toMatchObject({ success: true, steps: 3 });
      const trajectory = await readTrajectory(dir);
      expect((await replayParse(trajectory)).counts).toMatchObject({ same: 3 });
      await using again = await ScriptedServer.start(replies);
      expect((await replayWithModel(trajectory, { ...EXACT, model: "qwen", baseURL: again.url })).counts).toMatchObject({ same: 3 });
      expect(again.requests).toEqual(server.requests);
      expect(ran).toBe(1);
    }, { agent: { ...QWEN, tools: [tool] } });
  });

  it("of a dry run compares the plan", async () => {
    await withAgent([CLICK], async ({ agent, dir }) => {
      expect(await agent.run("press OK")).toMatchObject({ stop: "dry_run" });
      const trajectory = await readTrajectory(dir);
      expect((await replayParse(trajectory)).counts).toMatchObject({ same: 1 });
      await using again = await ScriptedServer.start([toolReply({ action: "left_click", coordinate: [503, 504] })]);
      const report = await replayWithModel(trajectory, { model: "qwen", baseURL: again.url, tolerancePx: 5 });
      expect(report.counts).toMatchObject({ same: 1 });
      // 3 and 4 of 1000, on 640 × 480.
      expect(report.steps[0]!.actions[0]!.distancePx).toBeCloseTo(Math.hypot(2, 2), 6);
    }, { agent: { ...QWEN, dryRun: true } });
  });

  it("of a run that failed, or was stopped in the middle of a reply, compares the steps that came to something", async () => {
    const stop = new AbortController();
    await withAgent([CLICK, { text: "Action: cli", hang: true }], async ({ agent, dir }) => {
      const result = agent.run("press OK", { signal: stop.signal });
      expect(await result).toMatchObject({ stop: "aborted" });
      const trajectory = await readTrajectory(dir);
      const parsed = await replayParse(trajectory);
      expect(parsed.counts).toEqual({ same: 1, different: 0, unusable: 0, skipped: 1 });
      expect(parsed.steps[1]!.notes).toEqual(["The reply was cut short."]);
      await using again = await ScriptedServer.start([CLICK]);
      expect((await replayWithModel(trajectory, { ...EXACT, model: "qwen", baseURL: again.url })).counts).toMatchObject({ same: 1, skipped: 1 });
    }, { agent: { ...QWEN, onEvent: (event) => event.type === "words" && event.step === 2 && stop.abort() } });
  });

  it("tells a model that speaks otherwise of the steps so far in words, and shows it the screen in its own size", async () => {
    await withAgent([CLICK, DONE], async ({ agent, dir }) => {
      await agent.run("press OK");
      const trajectory = await readTrajectory(dir);
      await using other = await ScriptedServer.start([{ text: "{'action': 'CLICK', 'position': [0.5, 0.5]}" }, { text: "{'action': 'FINISH'}" }]);
      const report = await replayWithModel(trajectory, { ...EXACT, model: "ShowUI-2B", baseURL: other.url });
      expect(report).toMatchObject({ counts: { same: 2 }, recorded: { dialect: "qwen3" }, today: { dialect: "showui" } });
      expect(JSON.stringify(other.requests[1]!.messages)).toContain("Done so far:\\n1. click OK");
      expect(JSON.stringify(other.requests[1]!.messages)).not.toContain("computer_use");
    }, { agent: QWEN, computer: COMPUTER });
  });

  it("takes a model whose name says nothing for one that speaks as the recorded one, and its first model where none is named", async () => {
    await withAgent([CLICK, DONE], async ({ agent, dir }) => {
      await agent.run("press OK");
      await using again = await ScriptedServer.start([DONE, DONE], { models: ["my-finetune"] });
      const report = await replayWithModel(await readTrajectory(dir), { ...EXACT, baseURL: again.url });
      expect(report).toMatchObject({ today: { model: "my-finetune", dialect: "qwen3" }, counts: { same: 1, different: 1 } });
      expect(report.steps[0]!.actions).toMatchObject([{ differences: ["kind"] }]);
    }, { agent: QWEN });
  });

  it("says what cannot be used, and asks again as the agent would", async () => {
    await withAgent([CLICK, DONE], async ({ agent, dir }) => {
      await agent.run("press OK");
      await using again = await ScriptedServer.start([{ text: "I would rather not." }, { text: "No." }, { text: "Hm." }, DONE]);
      const report = await replayWithModel(await readTrajectory(dir), { ...EXACT, model: "qwen", baseURL: again.url });
      expect(report.counts).toMatchObject({ unusable: 1, same: 1 });
      expect(report.steps[0]).toMatchObject({ status: "unusable", actions: [{ differences: ["missing"] }], notes: [expect.stringContaining("not even after it was told why") as string] });
      expect(report.steps.map(({ replies }) => replies.length)).toEqual([2, 2]);
    }, { agent: QWEN });
  });

  it("finds what today's parser does otherwise", async () => {
    const replies = [CLICK, toolReply({ action: "type", text: "a" }), { text: "Let me think." }, CLICK, DONE];
    await withAgent(replies, async ({ agent, dir }) => {
      await agent.run("press OK");
      const step = (lines: TrajectoryLine[], number: number) => lines[number] as StepLine;
      await edit(dir, (lines) => {
        (step(lines, 1).actions[0]!.action as { at: { x: number } }).at.x += 1;
        step(lines, 2).replies[0]!.text = "Action: nothing";
        step(lines, 2).replies[0]!.toolCalls = [];
        step(lines, 3).replies[0]!.text = DONE.toolCalls![0]!.arguments;
        step(lines, 3).replies[0]!.toolCalls = [{ id: "1", ...DONE.toolCalls![0]! }];
      });
      const { steps, counts } = await replayParse(await readTrajectory(dir));
      expect(counts).toMatchObject({ same: 1, different: 3 });
      expect(steps[0]).toMatchObject({ actions: [{ distancePx: 1, differences: ["place"] }], notes: [] });
      expect(steps[1]).toMatchObject({ actions: [{ differences: ["missing"] }], notes: [expect.stringContaining("refused today: Expected a call") as string] });
      expect(steps[2]).toMatchObject({ actions: [{ today: { type: "terminate" }, differences: ["added"] }, { differences: [] }], notes: [expect.stringContaining("refused then: Expected a call") as string] });
      const otherwise = await replayParse(await readTrajectory(dir), { dialect: "qwen2.5" });
      expect(otherwise.steps[0]!.actions).toMatchObject([{ today: { at: { x: 500 } }, differences: ["place"] }]);
    }, { agent: QWEN, computer: { widthPx: 1280, heightPx: 720 } });
  });

  it("asks for no secret, and says where a picture is not what the model saw", async () => {
    const replies = [toolReply({ action: "type", text: "{{secret:PIN}}" }), CLICK, DONE];
    const show = (frame: Screenshot, { events }: MemoryComputer) => {
      if (events.some(({ type }) => type === "type")) frame.data.fill(0, 4000, 4400);
    };
    await withAgent(replies, async ({ agent, dir }) => {
      expect(await agent.run("enter {{secret:PIN}}, press OK")).toMatchObject({ success: true });
      const trajectory = await readTrajectory(dir);
      expect((await replayParse(trajectory)).counts).toMatchObject({ same: 3 });
      await using again = await ScriptedServer.start(replies);
      const { steps, counts } = await replayWithModel(trajectory, { ...EXACT, model: "qwen", baseURL: again.url });
      expect(counts).toMatchObject({ same: 3 });
      expect(steps.map(({ notes }) => notes.length)).toEqual([0, 1, 1]);
    }, { agent: { ...QWEN, secretSource: async () => "hunter22" }, computer: { paint: show } });
  });

  it("of the embedded model by the embedded model comes to the same", async () => {
    const form = '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><rect width="640" height="480" fill="#f2f2f2"/><rect x="420" y="400" width="90" height="34" rx="4" fill="white" stroke="#999"/><text x="452" y="422" font-size="15" font-family="sans-serif">OK</text></svg>';
    const screen = await sharp(Buffer.from(form)).ensureAlpha().raw().toBuffer();
    await using server = await serve({ engine: new SimpleEngine("tiny"), port: 0 });
    await withAgent([], async ({ dir, computer }) => {
      await new Agent({ baseURL: server.url, model: "tiny", maxSteps: 2, confirm: "never", computer, outDir: dir }).run("press OK");
      const trajectory = await readTrajectory(dir);
      expect(trajectory.steps[0]!.actions).toHaveLength(1);
      const { counts, steps } = await replayWithModel(trajectory, { ...EXACT, model: "tiny", baseURL: server.url });
      expect(counts).toMatchObject({ different: 0, unusable: 0 });
      expect(steps[0]!.replies[0]!.text).toBe(trajectory.steps[0]!.replies[0]!.text);
    }, { computer: { paint: (frame) => frame.data.set(screen) } });
  });
});

describe("reading a trajectory", () => {
  async function withFolder<T>(text: string | Buffer, use: (dir: string) => Promise<T>): Promise<T> {
    const dir = await mkdtemp(join(tmpdir(), "deskhand-test-"));
    try {
      await writeFile(join(dir, "trajectory.jsonl"), text);
      return await use(dir);
    } finally {
      await rm(dir, { recursive: true });
    }
  }

  it("gets along with a run that was killed at any byte", async () => {
    await withAgent([tinyReply("click OK", { action: "left_click", coordinate: [500, 500] }), tinyReply("done", { action: "terminate", status: "success" })], async ({ agent, dir }) => {
      await agent.run("press OK — “now”");
      const whole = await readFile(join(dir, "trajectory.jsonl"));
      const ends = [...whole.entries()].flatMap(([at, byte]) => (byte === 10 ? [at + 1] : []));
      expect(ends).toHaveLength(4);
      const cuts = new Set([0, 1, ...ends.flatMap((end) => [end - 2, end - 1, end, end + 1]), ...Array.from({ length: 60 }, (_, index) => Math.floor((index * whole.length) / 60))]);
      for (const cut of [...cuts].filter((cut) => cut <= whole.length)) {
        await withFolder(whole.subarray(0, cut), async (folder) => {
          const read = await readTrajectory(folder).catch((error: unknown) => error);
          // A line is whole without its line feed too.
          const lines = ends.filter((end) => end - 1 <= cut).length;
          if (lines === 0) return expect(read).toMatchObject({ code: "invalid_argument", message: expect.stringMatching(/not even a first line.*record it again/) as string });
          expect(read).toMatchObject({ steps: { length: Math.min(2, lines - 1) } });
          const { notes } = read as { notes: string[] };
          const torn = !ends.some((end) => cut === end || cut === end - 1);
          expect(notes.map((note) => /torn|no end/.exec(note)?.[0])).toEqual([...(torn ? ["torn"] : []), ...(lines === 4 ? [] : ["no end"])]);
        });
      }
    });
  });

  it.each<[string, string, RegExp]>([
    ["of an older version", JSON.stringify({ ...RUN, version: 1 }), /version 1, and this Deskhand knows version 2\. Use the Deskhand that made it \(0\), or record the run again/],
    ["of a newer version", JSON.stringify({ type: "run", version: 99, what: "ever" }), /version 99.*Use the Deskhand that made it, or/],
    ["that is something else", JSON.stringify({ hello: 1 }), /Line 1 of .* is not valid: type/],
    ["with a damaged line", `${JSON.stringify(RUN)}\n{"type": "st\n${JSON.stringify(RUN)}\n`, /JSON on line 2 of .*restore it from a copy/],
    ["with a line of another kind", `${JSON.stringify(RUN)}\n${JSON.stringify(RUN)}\n`, /Line 2 of .* is not valid: type/],
    ["that names files elsewhere", `${JSON.stringify(RUN)}\n${JSON.stringify({ type: "step", step: 1, startedAt: "", picture: "../../x.png", replies: [], actions: [], timings: {} })}\n`, /picture: expected the name of a PNG file in the same folder/],
  ])("refuses one %s", async (_, text, why) => {
    await withFolder(text, async (dir) => {
      await expect(readTrajectory(dir)).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringMatching(why) as string });
    });
  });

  it("says so when there is none, or a picture is gone", async () => {
    await expect(readTrajectory("/nowhere/at/all")).rejects.toThrow(/Expected a trajectory at \/nowhere\/at\/all but ENOENT.*Give the folder of a run/);
    await withAgent([CLICK, DONE], async ({ agent, dir }) => {
      await agent.run("press OK");
      expect((await readTrajectory(join(dir, "index.html"))).dir).toBe(dir);
      await rm(join(dir, "step-001.png"));
      await using again = await ScriptedServer.start([CLICK, DONE]);
      await expect(replayWithModel(await readTrajectory(dir), { ...EXACT, model: "qwen", baseURL: again.url })).rejects.toThrow(/Expected the picture step-001\.png.*whole folder/);
    }, { agent: QWEN });
  });
});

describe("two actions", () => {
  const options = { pointer: { x: 10, y: 20 }, tolerancePx: 5, words: false };
  const at = (x: number, y: number) => ({ x, y });
  const differ = (a: ActionInput[], b: ActionInput[], more = {}): unknown[] => {
    const read = (actions: ActionInput[]): Action[] => actions.map((action) => ActionSchema.parse(action));
    return compareActions(read(a), read(b), { ...options, ...more }).map(({ distancePx, differences }) => [distancePx, ...differences]);
  };

  it.each<[ActionInput, ActionInput, unknown[]]>([
    [{ type: "click", at: at(100, 100) }, { type: "click", at: at(103, 104) }, [5]],
    [{ type: "click", at: at(100, 100) }, { type: "click", at: at(104, 104) }, [Math.hypot(4, 4), "place"]],
    [{ type: "click" }, { type: "click", at: at(10, 20) }, [0]],
    [{ type: "click", at: at(1, 1) }, { type: "click", at: at(1, 1), button: "right", count: 2, held: ["ctrl"] }, [0, "button", "count", "held"]],
    [{ type: "drag", from: at(0, 0), to: at(9, 9) }, { type: "drag", from: at(0, 0), to: at(9, 49) }, [40, "place"]],
    [{ type: "drag", to: at(9, 9) }, { type: "drag", via: [at(1, 1)], to: at(9, 9) }, [undefined, "way"]],
    [{ type: "zoom", region: { x: 0, y: 0, width: 10, height: 10 } }, { type: "zoom", region: { x: 0, y: 0, width: 10, height: 40 } }, [30, "place"]],
    [{ type: "type", text: "a " }, { type: "type", text: "a" }, [undefined, "text"]],
    [{ type: "type", text: "a" }, { type: "key", keys: ["a"] }, [undefined, "kind"]],
    [{ type: "terminate", success: true, message: "Done" }, { type: "terminate", success: true }, [undefined]],
    [{ type: "terminate", success: true }, { type: "terminate", success: false }, [undefined, "success"]],
  ])("%o and %o", (a, b, expected) => {
    expect(differ([a], [b])).toEqual([expected]);
  });

  it("go by where the pointer was by then, and one more or less is told", () => {
    expect(differ([{ type: "move", to: at(50, 50) }, { type: "click" }], [{ type: "move", to: at(50, 50) }, { type: "click", at: at(50, 50) }, { type: "wait", ms: 1 }])).toEqual([[0], [0], [undefined, "added"]]);
    expect(differ([{ type: "wait", ms: 1 }], [])).toEqual([[undefined, "missing"]]);
    expect(differ([{ type: "ask", question: "A?" }], [{ type: "ask", question: "B?" }], { words: true })).toEqual([[undefined, "question"]]);
  });
});
