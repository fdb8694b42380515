import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import sharp from "sharp";
import type { AgentOptions } from "../../src/agent/agent.js";
import type { ComputerEvent, MemoryComputerOptions } from "../../src/agent/computer/memory.js";
import { anyApprover } from "../../src/agent/safety/approver.js";
import { PointerWatch } from "../../src/agent/safety/pointer-watch.js";
import { RunController } from "../../src/agent/safety/run-controller.js";
import { MemoryComputer } from "../../src/agent/computer/memory.js";
import { until } from "../support/desktop.js";
import { person } from "./support/people.js";
import { callText, tinyReply, toolReply } from "./support/replies.js";
import { readTrajectory, withAgent } from "./support/run-agent.js";
import type { ScriptedReply } from "./support/scripted-server.js";

const QWEN = { model: "qwen", dialect: "qwen3" };
const DONE = toolReply({ action: "terminate", status: "success" });
const clickAt = (x: number) => toolReply({ action: "left_click", coordinate: [x, 500] }, `Action: click ${x}`);
const clicks = ({ events }: MemoryComputer) => events.filter(({ type }) => type === "click").length;
/** A screen on which every event shows. */
const paint: NonNullable<MemoryComputerOptions["paint"]> = (frame, { events }) => frame.data.fill(8 * events.length, 0, 400);

describe("a person takes hold of a run", () => {
  it("pauses before the next action, and what was planned is looked at again after going on", async () => {
    const controller = new RunController();
    // While the model gets its picture.
    const pauseOnce = ({ captures }: MemoryComputer) => captures === 1 && controller.pause("for a test");
    await withAgent([clickAt(100), clickAt(200), DONE], async ({ agent, computer, server }) => {
      const running = agent.run("press OK");
      await until("the model was asked", () => server.requests.length === 1);
      await delay(300);
      expect([server.requests.length, clicks(computer)]).toEqual([1, 0]);
      controller.resume();
      const result = await running;
      expect(computer.events.filter(({ type }) => type === "click")).toMatchObject([{ at: { x: 128 } }]);
      expect((await readTrajectory(result)).steps[0]).toMatchObject({ done: 0, notDone: "The run was paused." });
    }, { agent: { ...QWEN, controller }, computer: { paint: (frame, computer) => (paint(frame, computer), void pauseOnce(computer)) } });
  });

  it("does one step at a time, from a paused beginning", async () => {
    const controller = new RunController();
    controller.pause("step by step");
    await withAgent([clickAt(100), clickAt(200), DONE], async ({ agent, computer, server }) => {
      const running = agent.run("press OK");
      for (const step of [1, 2]) {
        controller.step();
        await until("it has paused again", () => controller.state.mode === "paused");
        expect([server.requests.length, clicks(computer)]).toEqual([step, step]);
      }
      await delay(150);
      expect(server.requests).toHaveLength(2);
      controller.resume();
      expect((await running).success).toBe(true);
    }, { agent: { ...QWEN, controller }, computer: { paint } });
  });

  it("stops, also while paused and while the model thinks", async () => {
    const controller = new RunController();
    await withAgent([{ text: "Action: ", hang: true }], async ({ agent, server }) => {
      const running = agent.run("press OK");
      await until("the model was asked", () => server.requests.length === 1);
      controller.stop("enough");
      expect(await running).toMatchObject({ success: false, stop: "person", reason: "Stopped by a person: enough." });
      await server.left;
    }, { agent: { ...QWEN, controller } });
    controller.pause("from the start");
    await withAgent([DONE], async ({ agent, server }) => {
      const running = agent.run("press OK");
      await delay(100);
      controller.stop("");
      expect(await running).toMatchObject({ stop: "person", reason: "Stopped by a person." });
      expect(server.requests).toEqual([]);
    }, { agent: { ...QWEN, controller } });
  });

  it("stops by the stop keys, and an agent without them hears nothing", async () => {
    await withAgent([{ text: "Action: ", hang: true }], async ({ agent, server, computer }) => {
      const running = agent.run("press OK");
      await until("the model was asked", () => server.requests.length === 1);
      computer.pressByPerson("ctrl+alt+esc");
      expect(await running).toMatchObject({ stop: "person", reason: "Stopped by a person: ctrl+alt+esc was pressed." });
      await server.left;
    }, { agent: QWEN });
    await withAgent([{ text: "Action: ", hang: true }], async ({ agent, server, computer }) => {
      const running = agent.run("press OK");
      await until("the model was asked", () => server.requests.length === 1);
      computer.pressByPerson("ctrl+alt+esc");
      expect(await running).toMatchObject({ stop: "max_seconds" });
    }, { agent: { ...QWEN, stopKeys: "", maxSeconds: 0.5 } });
  });

  it("pauses by moving the mouse; with a controller only that goes on", async () => {
    const controller = new RunController();
    const moveOnce = (computer: MemoryComputer) => computer.captures === 1 && computer.moveByPerson({ x: 50, y: 50 });
    await withAgent([clickAt(100), clickAt(200), DONE], async ({ agent, computer }) => {
      const running = agent.run("press OK");
      await until("it has paused", () => controller.state.mode === "paused");
      expect(controller.state.reason).toMatch(/mouse/);
      expect(clicks(computer)).toBe(0);
      controller.resume();
      expect((await running).success).toBe(true);
    }, { agent: { ...QWEN, controller }, computer: { paint: (frame, computer) => (paint(frame, computer), void moveOnce(computer)) } });
  });

  it("is not taken for a person when the agent itself moves the mouse, far and often", async () => {
    const controller = new RunController();
    const modes: string[] = [];
    controller.onChange(({ mode }) => modes.push(mode));
    await withAgent([clickAt(10), toolReply({ action: "left_click_drag", coordinate: [900, 900] }), clickAt(100), DONE], async ({ agent }) => {
      expect((await agent.run("drag it")).success).toBe(true);
      expect(modes).toEqual([]);
    }, { agent: { ...QWEN, controller }, computer: { paint } });
  });

  it("is told from a trembling hand, and is taken to have let go after a rest", async () => {
    const computer = new MemoryComputer({ widthPx: 640, heightPx: 480 });
    const heard: string[] = [];
    using watch = new PointerWatch(computer, { pollMs: 3_600_000, restMs: 60, onMoved: () => heard.push("moved"), onRested: () => heard.push("rested") });
    await watch.look();
    computer.moveByPerson({ x: 322, y: 242 });
    await watch.look();
    expect(heard).toEqual([]);
    computer.moveByPerson({ x: 340, y: 242 });
    await watch.look();
    await watch.look();
    expect(heard).toEqual(["moved"]);
    await delay(80);
    await watch.look();
    await watch.look();
    expect(heard).toEqual(["moved", "rested"]);
  });

  it("answers wherever they like: the first answer counts, the other question is called off", async () => {
    let calledOff = false;
    const slow = person((_, signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => ((calledOff = true), reject(new Error("called off"))))));
    await withAgent([toolReply({ action: "key", keys: ["ctrl", "w"] }), DONE], async ({ agent, computer }) => {
      expect((await agent.run("close it")).success).toBe(true);
      expect(computer.events[0]).toEqual({ type: "chord", keys: ["ctrl", "w"] });
      expect(calledOff).toBe(true);
    }, { agent: { ...QWEN, approver: anyApprover([slow, person("approve")]) } });
  });
});

describe("abort at every point", () => {
  const replies: ScriptedReply[] = [
    { text: [{ action: "left_click", coordinate: [100, 100] }, { action: "type", text: "{{secret:PIN}}" }, { action: "left_click_drag", coordinate: [800, 800] }].map(callText).join("\n") },
    { text: callText({ action: "key", keys: ["ctrl", "w"] }) },
    { text: callText({ action: "terminate", status: "success" }) },
  ];

  /** A run that is aborted when `hook` is reached for the `at`th time. */
  async function abortAt(hook: "event" | "capture" | "question" | "step", at: number) {
    const abort = new AbortController();
    let reached = 0;
    let requestsThen = -1;
    let doneThen = -1;
    const reach = (name: typeof hook) => {
      if (name !== hook || ++reached !== at) return;
      abort.abort();
      [requestsThen, doneThen] = [run.server!.requests.length, run.computer!.events.length];
    };
    const run: { server?: { requests: unknown[] }; computer?: MemoryComputer } = {};
    const options: AgentOptions = { ...QWEN, secretSource: async () => "1234", approver: person(() => (reach("question"), { kind: "approve" })), onEvent: ({ type }) => type === "step_ended" && reach("step") };
    return withAgent(replies, async ({ agent, computer, server }) => {
      Object.assign(run, { computer, server });
      const result = await agent.run("close it after {{secret:PIN}}", { signal: abort.signal });
      const { result: line, steps } = await readTrajectory(result);
      return { reached: reached >= at, result, line, steps, computer, newRequests: server.requests.length - requestsThen, after: computer.events.slice(doneThen).map(({ type }) => type) };
    }, { agent: options, computer: { paint: (frame, computer) => (paint(frame, computer), reach("capture")), onEvent: () => reach("event") } });
  }

  it.each([["event", 18], ["capture", 8], ["question", 2], ["step", 2]] as const)("%s", async (hook, points) => {
    for (let at = 1; at <= points; at++) {
      const { reached, result, line, steps, computer, newRequests, after } = await abortAt(hook, at);
      expect({ hook, at, reached }).toEqual({ hook, at, reached: true });
      expect(result).toMatchObject({ success: false, stop: "aborted" });
      // Nothing is asked and nothing is done any more, but for letting go of everything.
      expect(newRequests).toBe(0);
      expect(after.filter((type) => type !== "releaseAll")).toEqual([]);
      expect([computer.held.size, computer.heldKeys.size, computer.events.at(-1)?.type]).toEqual([0, 0, "releaseAll"]);
      expect(line).toMatchObject({ type: "result", stop: "aborted", steps: steps.length });
    }
  });
});

describe("a run that gets nowhere", () => {
  it("is told, then shown the place enlarged, then stopped when there is nobody to ask", async () => {
    const same = Array.from({ length: 6 }, () => clickAt(500));
    await withAgent(same, async ({ agent, server, computer }) => {
      const result = await agent.run("press OK");
      expect(result).toMatchObject({ success: false, stop: "stuck", steps: 4, reason: expect.stringMatching(/nobody to ask: "click 500" was done 4 times in a row/) as string });
      expect(clicks(computer)).toBe(4);
      const last = (index: number) => server.requests[index]!.messages.at(-1)!.content as { type: string; text?: string; image_url?: { url: string } }[];
      expect(last(1)).toHaveLength(2);
      expect(last(2)[2]!.text).toMatch(/^Note: "click 500" was done 2 times in a row/);
      expect(last(3).map(({ type }) => type)).toEqual(["text", "image_url", "text", "image_url"]);
      const detail = Buffer.from(last(3)[3]!.image_url!.url.split(",")[1]!, "base64");
      expect(await sharp(detail).metadata()).toMatchObject({ width: 426, height: 320 });
      // The history only grows, so that a server's cache keeps it.
      expect(JSON.stringify(server.requests[3]!.messages).startsWith(JSON.stringify(server.requests[2]!.messages).slice(0, -1))).toBe(true);
      expect((await readTrajectory(result)).steps.map(({ notice }) => notice?.slice(0, 5))).toEqual([undefined, undefined, "Note:", "Note:"]);
    }, { agent: QWEN });
  });

  it("goes on with what the person says, and that counts as asked for", async () => {
    const approver = person("refuse", "type Mallory instead");
    const replies = [...Array.from({ length: 4 }, () => clickAt(500)), toolReply({ action: "type", text: "Mallory" }), DONE];
    await withAgent(replies, async ({ agent, server, computer }) => {
      expect(await agent.run("press OK")).toMatchObject({ success: true, steps: 6 });
      expect(approver.questions).toEqual([expect.stringMatching(/gets nowhere.*4 times.*What should be done\?/)]);
      expect(JSON.stringify(server.requests[4]!.messages)).toContain("The user says: type Mallory instead");
      expect(computer.events).toContainEqual({ type: "type", text: "Mallory" });
      expect(approver.requests).toEqual([]);
    }, { agent: { ...QWEN, approver } });
  });

  it("ends when the person has nothing to say", async () => {
    await withAgent(Array.from({ length: 5 }, () => clickAt(500)), async ({ agent }) => {
      expect(await agent.run("press OK")).toMatchObject({ stop: "person", steps: 4 });
    }, { agent: { ...QWEN, approver: person("approve") } });
  });

  it("stops a model that knows one prompt only after as many steps, and changes nothing in its prompt", async () => {
    await withAgent(Array.from({ length: 6 }, () => tinyReply("click OK", { action: "left_click", coordinate: [500, 500] })), async ({ agent, server }) => {
      expect(await agent.run("press OK")).toMatchObject({ stop: "stuck", steps: 4 });
      const [, text] = server.requests[3]!.messages[0]!.content as { text?: string }[];
      expect(text!.text).toBe("Task: press OK\nPrevious actions:\n1. click OK (no change)\n2. click OK (no change)\n3. click OK (no change)");
    });
  });
});

describe("budgets", () => {
  it("of tokens end the run before the next request, and no reply may be longer than what is left", async () => {
    const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
    await withAgent([clickAt(100), clickAt(200), DONE].map((reply) => ({ ...reply, usage })), async ({ agent, server }) => {
      expect(await agent.run("press OK")).toMatchObject({ success: false, stop: "max_tokens", reason: "Stopped at the limit of 200 tokens: 240 were used." });
      expect(server.requests.map(({ max_tokens }) => max_tokens)).toEqual([200, 80]);
    }, { agent: { ...QWEN, maxTokens: 200, readLabels: false }, computer: { paint } });
  });

  it("of tokens need a server that counts them", async () => {
    await withAgent([{ ...clickAt(100), usage: {} }], async ({ agent }) => {
      expect(await agent.run("press OK")).toMatchObject({ stop: "error", reason: expect.stringMatching(/usage/) as string });
    }, { agent: { ...QWEN, maxTokens: 200 } });
  });
});

describe("a dry run", () => {
  it("plans, draws and touches nothing", async () => {
    const plan = { text: [{ action: "left_click", coordinate: [250, 500] }, { action: "key", keys: ["ctrl", "w"] }, { action: "left_click_drag", coordinate: [900, 900] }].map(callText).join("\n") };
    const approver = person("approve");
    await withAgent([plan], async ({ agent, computer, server }) => {
      const result = await agent.run("close it");
      expect(result).toMatchObject({ success: true, stop: "dry_run", steps: 1, reason: expect.stringContaining("Planned: click at (160, 240), then press ctrl+w, then drag to (576, 432).") as string });
      expect(computer.events.filter(({ type }: ComputerEvent) => type !== "releaseAll")).toEqual([]);
      expect([server.requests.length, approver.requests.length]).toEqual([1, 0]);
      const { steps, html } = await readTrajectory(result);
      expect(steps[0]).toMatchObject({ done: 0, notDone: "This is a dry run.", safety: [{ action: "press ctrl+w", ruling: "would_ask" }] });
      expect(html).toContain('<circle class="dot" cx="160.5" cy="240.5"');
    }, { agent: { ...QWEN, dryRun: true, approver } });
  });
});
