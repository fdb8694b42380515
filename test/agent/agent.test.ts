import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { Agent, type AgentOptions } from "../../src/agent/agent.js";
import { callText, tinyReply, toolReply } from "./support/replies.js";
import { readTrajectory, withAgent } from "./support/run-agent.js";
import { ScriptedServer } from "./support/scripted-server.js";

const DONE = tinyReply("done", { action: "terminate", status: "success" });
/** A screen on which everything that is done leaves a mark wider than a caret. */
function countEvents(frame: { data: Uint8Array }, { events }: { events: readonly unknown[] }): void {
  frame.data.fill(8 * events.length, 0, 4 * 100);
}
const QWEN = { model: "qwen", dialect: "qwen3" };

describe("a run", () => {
  it("does what the model says, in order, until the model is done", async () => {
    const replies = [
      tinyReply("click Name", { action: "left_click", coordinate: [500, 250] }),
      tinyReply("select all", { action: "key", keys: ["ctrl", "a"] }),
      tinyReply("type Ada", { action: "type", text: "Ada" }),
      tinyReply("check News", { action: "wait", time: 1 }, "on"),
      DONE,
    ];
    await withAgent(replies, async ({ agent, computer, server }) => {
      const result = await agent.run("set Name to Ada");
      expect(result).toMatchObject({ success: true, stop: "terminate", steps: 5 });
      expect(computer.events).toEqual([
        { type: "move", to: { x: 320, y: 120 } },
        { type: "click", button: "left", count: 1, at: { x: 320, y: 120 } },
        { type: "chord", keys: ["ctrl", "a"] },
        { type: "type", text: "Ada" },
        { type: "releaseAll" },
      ]);
      const texts = server.requests.map(({ messages }) => (messages[0]!.content as { text?: string }[])[1]!.text);
      expect(texts[0]).toBe("Task: set Name to Ada\nPrevious actions: none");
      expect(texts[4]).toBe("Task: set Name to Ada\nPrevious actions:\n1. click Name\n2. select all\n3. type Ada\n4. check News");
    }, { computer: { widthPx: 640, heightPx: 480, paint: countEvents } });
  });

  it("tells the model what changed nothing on the screen, and writes it down", async () => {
    const click = tinyReply("click OK", { action: "left_click", coordinate: [500, 250] });
    await withAgent([click, click, DONE], async ({ agent, server }) => {
      const { steps } = await readTrajectory(await agent.run("press OK"));
      expect(steps.map(({ hadEffect }) => hadEffect)).toEqual([false, true, undefined]);
      const texts = server.requests.map(({ messages }) => (messages[0]!.content as { text?: string }[])[1]!.text);
      expect(texts[2]).toBe("Task: press OK\nPrevious actions:\n1. click OK (no change)\n2. click OK");
    }, { computer: { widthPx: 640, heightPx: 480, paint: (frame, computer) => countEvents(frame, { events: computer.events.slice(2) }) } });
  });

  it("shows the model the screen as it is", async () => {
    const paint = (frame: { data: Uint8Array; widthPx: number }) => frame.data.fill(0, 0, frame.widthPx * 4 * 240);
    await withAgent([DONE], async ({ agent, server }) => {
      await agent.run("look");
      const [image] = server.requests[0]!.messages[0]!.content as { image_url: { url: string } }[];
      const png = Buffer.from(image!.image_url.url.replace("data:image/png;base64,", ""), "base64");
      expect(await sharp(png).metadata()).toMatchObject({ format: "png", width: 800, height: 480, hasAlpha: false });
      // The upper half was painted black, the rest is white.
      const pixels = await sharp(png).raw().toBuffer();
      expect([pixels[0], pixels.at(-1)]).toEqual([0, 255]);
    }, { computer: { widthPx: 800, heightPx: 480, paint } });
  });

  it("carries coordinates to a scaled display", async () => {
    await withAgent([tinyReply("click OK", { action: "left_click", coordinate: [750, 500] }), DONE], async ({ agent, computer }) => {
      const result = await agent.run("press OK");
      expect(computer.events[0]).toEqual({ type: "move", to: { x: 1080, y: 450 } });
      const { steps } = await readTrajectory(result);
      expect(steps[0]!.chain).toMatchObject({ sent: { width: 1280, height: 800 }, captured: { width: 2880, height: 1800 }, display: { width: 1440, height: 900, scale: 2 } });
    }, { computer: { widthPx: 1440, heightPx: 900, scale: 2 } });
  });

  it("drags with the button held all the way, from the cursor", async () => {
    await withAgent([toolReply({ action: "mouse_move", coordinate: [100, 100] }), toolReply({ action: "left_click_drag", coordinate: [500, 500] }), toolReply({ action: "terminate", status: "success" })], async ({ agent, computer }) => {
      await agent.run("drag it");
      const kinds = computer.events.map(({ type }) => type);
      expect(kinds.slice(1, 3)).toEqual(["press", "move"]);
      expect(computer.events[1]).toEqual({ type: "press", button: "left", at: { x: 64, y: 48 } });
      expect(computer.events.findLast(({ type }) => type === "release")).toEqual({ type: "release", button: "left", at: { x: 320, y: 240 } });
    }, { agent: QWEN });
  });

  it("does several calls of one reply in order and then looks again", async () => {
    const replies = [{ text: [{ action: "left_click", coordinate: [10, 10] }, { action: "type", text: "a" }, { action: "key", keys: ["Return"] }].map(callText).join("\n") }, { text: callText({ action: "terminate", status: "success" }) }];
    await withAgent(replies, async ({ agent, computer, server }) => {
      expect(await agent.run("type a")).toMatchObject({ success: true, steps: 2 });
      expect(computer.events.map(({ type }) => type)).toEqual(["move", "click", "type", "chord", "releaseAll"]);
      expect(server.requests).toHaveLength(2);
    }, { agent: QWEN });
  });
});

describe("the model ends a run", () => {
  it("with failure", async () => {
    await withAgent([toolReply({ action: "terminate", status: "failure" })], async ({ agent }) => {
      expect(await agent.run("go")).toMatchObject({ success: false, stop: "terminate", reason: /could not/ });
    }, { agent: QWEN });
  });

  it("with an answer", async () => {
    await withAgent([toolReply({ action: "answer", text: "It is 5 pm." })], async ({ agent }) => {
      expect(await agent.run("what time is it?")).toMatchObject({ success: true, stop: "answer", answer: "It is 5 pm." });
    }, { agent: QWEN });
  });

  it("with an answer and a failure", async () => {
    await withAgent([{ text: callText({ action: "answer", text: "not sure" }) + callText({ action: "terminate", status: "failure" }) }], async ({ agent }) => {
      expect(await agent.run("what time is it?")).toMatchObject({ success: false, stop: "terminate", answer: "not sure" });
    }, { agent: QWEN });
  });
});

describe("replies that cannot be used", () => {
  it("go back to the model once, with the reason, and nothing is done meanwhile", async () => {
    const replies = [toolReply({ action: "left_click", coordinate: [1412, 5] }), toolReply({ action: "left_click", coordinate: [500, 500] }), toolReply({ action: "terminate", status: "success" })];
    await withAgent(replies, async ({ agent, computer, server }) => {
      const result = await agent.run("go");
      expect(result).toMatchObject({ success: true, steps: 2 });
      expect(computer.events.filter(({ type }) => type === "click")).toHaveLength(1);
      expect(JSON.stringify(server.requests[1]!.messages.slice(-2))).toMatch(/1412.*from 0 to 1000/);
      expect(JSON.stringify(server.requests[2]!.messages)).not.toContain("1412");
      const { steps } = await readTrajectory(result);
      expect(steps[0]!.replies).toMatchObject([{ error: expect.stringContaining("1412") as string }, { finishReason: "tool_calls" }]);
      expect(steps[0]!.replies[1]).not.toHaveProperty("error");
    }, { agent: QWEN });
  });

  it.each([
    ["an unknown key", toolReply({ action: "key", keys: ["ctrl", "wibble"] }), /"wibble"/],
    ["plain text", { text: "I would click OK." }, /only text/],
    ["a later bad call", { text: callText({ action: "left_click", coordinate: [5, 5] }) + callText({ action: "key", keys: ["wibble"] }) }, /"wibble"/],
  ])("stop the run the second time: %s", async (_, scripted, why) => {
    await withAgent([scripted, scripted, scripted], async ({ agent, computer, server }) => {
      const result = await agent.run("go");
      expect(result).toMatchObject({ success: false, stop: "error", steps: 1 });
      expect(result.reason).toMatch(/not even after it was told why/);
      expect(result.reason).toMatch(why);
      expect(server.requests).toHaveLength(2);
      expect(computer.events).toEqual([{ type: "releaseAll" }]);
    }, { agent: QWEN });
  });

  it("stop a model that cannot be told at once", async () => {
    await withAgent([{ text: "Action: click" }, DONE], async ({ agent, server }) => {
      expect(await agent.run("go")).toMatchObject({ success: false, stop: "error", reason: expect.stringContaining("Action: click") as string });
      expect(server.requests).toHaveLength(1);
    });
  });

  it("refuse a click at a cursor that is on another display", async () => {
    await withAgent([toolReply({ action: "left_click" }), toolReply({ action: "left_click" })], async ({ agent, computer }) => {
      computer.moveByPerson({ x: -50, y: 10 });
      expect((await agent.run("go")).reason).toMatch(/on this screen but the action would happen at \(-50, 10\)/);
    }, { agent: QWEN });
  });
});

describe("limits and interruptions", () => {
  const clicking = Array.from({ length: 30 }, () => tinyReply("click OK", { action: "left_click", coordinate: [500, 500] }));

  it("stops after the given number of steps", async () => {
    await withAgent(clicking, async ({ agent, computer, server }) => {
      expect(await agent.run("go")).toMatchObject({ success: false, stop: "max_steps", steps: 3 });
      expect(server.requests).toHaveLength(3);
      expect(computer.events.filter(({ type }) => type === "click")).toHaveLength(3);
    }, { agent: { maxSteps: 3 } });
  });

  it("stops after the given time, in the middle of a reply", async () => {
    await withAgent([{ text: "Action: ", hang: true }], async ({ agent, server, computer }) => {
      const result = await agent.run("go");
      expect(result).toMatchObject({ success: false, stop: "max_seconds", reason: "Stopped at the limit of 0.3 s.", steps: 1 });
      await server.left;
      expect(computer.events).toEqual([{ type: "releaseAll" }]);
      const { steps } = await readTrajectory(result);
      expect(steps[0]).toMatchObject({ replies: [{ text: "Action: " }], error: expect.stringContaining("limit of 0.3 s") as string });
    }, { agent: { maxSeconds: 0.3 } });
  });

  it("stops within the step when aborted: the server sees the connection close", async () => {
    await withAgent([clicking[0]!, { text: "Action: ", hang: true }], async ({ agent, server, computer }) => {
      const abort = new AbortController();
      const running = agent.run("go", { signal: abort.signal });
      while (server.requests.length < 2) await delay(5);
      abort.abort(new Error("SIGINT"));
      expect(await running).toMatchObject({ success: false, stop: "aborted", reason: "Stopped by the caller: SIGINT.", steps: 2 });
      await server.left;
      expect(computer.events.at(-1)).toEqual({ type: "releaseAll" });
    });
  });

  it("lets go of the button when aborted in the middle of a drag", async () => {
    const abort = new AbortController();
    const onEvent = (event: { type: string }) => {
      if (event.type === "press") abort.abort();
    };
    await withAgent([toolReply({ action: "left_click_drag", coordinate: [900, 900] })], async ({ agent, computer }) => {
      expect(await agent.run("go", { signal: abort.signal })).toMatchObject({ stop: "aborted" });
      expect(computer.events.at(-1)).toEqual({ type: "releaseAll" });
      expect(computer.held.size).toBe(0);
      expect(computer.events.some(({ type }) => type === "release")).toBe(false);
    }, { agent: QWEN, computer: { onEvent } });
  });

  it("stops when a person pushes the pointer into the corner, also while the model thinks", async () => {
    await withAgent([{ text: "Action: ", hang: true }], async ({ agent, server, computer }) => {
      const running = agent.run("go");
      while (server.requests.length < 1) await delay(5);
      // The watch must have seen the pointer elsewhere first.
      await delay(200);
      computer.moveByPerson({ x: 0, y: 0 });
      expect(await running).toMatchObject({ success: false, stop: "failsafe" });
      await server.left;
    });
  });

  it("reports a failing computer and lets go of everything", async () => {
    const onEvent = (event: { type: string }) => {
      if (event.type === "click") throw new Error("the X server went away");
    };
    await withAgent(clicking, async ({ agent, computer }) => {
      const result = await agent.run("go");
      expect(result).toMatchObject({ success: false, stop: "error", reason: "the X server went away", steps: 1 });
      expect(computer.events.at(-1)).toEqual({ type: "releaseAll" });
      expect((await readTrajectory(result)).steps[0]).toMatchObject({ summary: "click OK", error: "the X server went away" });
    }, { computer: { onEvent } });
  });

  it("reports a model server that fails", async () => {
    await withAgent([clicking[0]!, { status: 503, body: { error: { message: "the engine is restarting" } } }], async ({ agent, server }) => {
      const result = await agent.run("go");
      expect(result).toMatchObject({ success: false, stop: "error", steps: 2 });
      expect(result.reason).toMatch(new RegExp(`${server.url}.*503: the engine is restarting`));
    });
  });

  it("does not begin when aborted before", async () => {
    await withAgent([DONE], async ({ agent, server }) => {
      expect(await agent.run("go", { signal: AbortSignal.abort() })).toMatchObject({ success: false, stop: "aborted", steps: 0 });
      expect(server.requests).toEqual([]);
    });
  });
});

describe("options", () => {
  it.each([
    [{ maxSteps: 0 }, /maxSteps/],
    [{ maxSeconds: -1 }, /maxSeconds/],
    [{ display: "both" as "virtual" }, /display/],
    [{ computer: 5 as never }, /computer: expected a Computer/],
    [{ maxStep: 5 } as AgentOptions, /maxStep/],
  ])("refuses %o by name", (options, name) => {
    expect(() => new Agent(options)).toThrow(name);
    expect(() => new Agent(options)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });

  it("refuses an unknown dialect, an unknown model and an empty task before anything is opened", async () => {
    await expect(new Agent({ dialect: "klingon" }).run("go")).rejects.toThrow(/qwen3, .*tiny.*"klingon"/);
    await expect(new Agent({ model: "gpt-4o" }).run("go")).rejects.toThrow(/--dialect/);
    await expect(new Agent().run("  ")).rejects.toThrow(/Expected a task/);
  });

  it("takes the server's first model when none is named", async () => {
    await using server = await ScriptedServer.start([DONE], { models: ["models/tiny", "other"] });
    await withAgent([], async ({ computer, dir }) => {
      const result = await new Agent({ baseURL: server.url, computer, outDir: dir }).run("go");
      expect(server.requests[0]!.model).toBe("models/tiny");
      expect((await readTrajectory(result)).run).toMatchObject({ model: "models/tiny", dialect: "tiny" });
    });
  });

  it("says so when the server offers no model", async () => {
    await using server = await ScriptedServer.start([], { models: [] });
    await expect(new Agent({ baseURL: server.url }).run("go")).rejects.toMatchObject({ code: "model_server", message: expect.stringContaining("--model") as string });
  });

  it("refuses a folder that holds a trajectory already, and leaves it alone", async () => {
    await withAgent([DONE, DONE], async ({ agent, dir }) => {
      await agent.run("first");
      const before = await readFile(join(dir, "trajectory.jsonl"), "utf8");
      await expect(agent.run("second")).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringMatching(/holds a trajectory already.*--out/) as string });
      expect(await readFile(join(dir, "trajectory.jsonl"), "utf8")).toBe(before);
    });
  });
});
