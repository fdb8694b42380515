import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import sharp from "sharp";
import { Agent, type AgentOptions } from "../../src/agent/agent.js";
import type { ComputerEvent, MemoryComputer, MemoryComputerOptions } from "../../src/agent/computer/memory.js";
import type { LiveEvent } from "../../src/agent/live/live-events.js";
import { openLivePage, type LivePage } from "../../src/agent/live/live-page.js";
import { LiveStory } from "../../src/agent/live/live-story.js";
import type { StepLine } from "../../src/agent/recorder/records.js";
import { anyApprover } from "../../src/agent/safety/approver.js";
import { RunController } from "../../src/agent/safety/run-controller.js";
import { until } from "../support/desktop.js";
import { LiveClient } from "./support/live-client.js";
import { person } from "./support/people.js";
import { toolReply } from "./support/replies.js";
import { withAgent, type ScriptedRun } from "./support/run-agent.js";
import type { ScriptedReply } from "./support/scripted-server.js";

const QWEN = { model: "qwen", dialect: "qwen3" };
const DONE = toolReply({ action: "terminate", status: "success" }, "Action: done");
const CLOSE = toolReply({ action: "key", keys: ["ctrl", "w"] }, "Action: close the window");
const clickAt = (x: number) => toolReply({ action: "left_click", coordinate: [x, 500] }, `Action: click ${x}`);
const done = ({ events }: MemoryComputer) => events.map(({ type }) => type).filter((type) => type !== "releaseAll" && type !== "move");
/** A screen on which every event shows. */
const paint = (frame: { data: Uint8Array }, { events }: MemoryComputer) => frame.data.fill(8 * events.length, 0, 400);

interface LiveRun extends ScriptedRun {
  page: LivePage;
  client: LiveClient;
}

/** An agent that is followed on a live page by one client from the beginning. */
function withPage<T>(replies: ScriptedReply[], use: (run: LiveRun) => Promise<T>, agent: AgentOptions = {}, onEvent?: MemoryComputerOptions["onEvent"]): Promise<T> {
  return withAgent(replies, async (run) => {
    await using page = await openLivePage();
    const { approver, controller } = page;
    const followed = new Agent({ ...QWEN, baseURL: run.server.url, computer: run.computer, outDir: run.dir, approver, controller, onEvent: page.onEvent, ...agent });
    const client = new LiveClient(page.url);
    const following = client.follow();
    const result = await use({ ...run, agent: followed, page, client });
    await page.close();
    await following;
    return result;
  }, { computer: { paint, onEvent } });
}

describe("a question on the live page", () => {
  it("shows what, why and the target, and an approval lets the action happen", async () => {
    await withPage([toolReply({ action: "left_click", coordinate: [500, 500] }, "Action: click Delete"), DONE], async ({ agent, client, computer }) => {
      const running = agent.run("tidy up");
      const question = await client.asked();
      expect(question).toMatchObject({ kind: "approval", step: 1, description: "click at (320, 240)", risks: [expect.stringMatching(/may delete something/), expect.stringMatching(/the task says nothing of/)] });
      expect(done(computer)).toEqual([]);
      const picture = await client.fetch(`/questions/${question.id}/picture`);
      expect(await sharp(Buffer.from(await picture.arrayBuffer())).metadata()).toMatchObject({ format: "png", width: 96, height: 96 });
      // In the middle of the middle pixel.
      expect(question.kind === "approval" && [question.mark!.x * 96, question.mark!.y * 96].map((at) => at.toFixed(6))).toEqual(["48.500000", "48.500000"]);
      expect((await client.post(`/questions/${question.id}`, { verdict: "approve" })).status).toBe(204);
      expect((await running).success).toBe(true);
      expect(done(computer)).toEqual(["click"]);
      // A second press answers nothing, least of all another question.
      expect((await client.post(`/questions/${question.id}`, { verdict: "approve" })).status).toBe(404);
      expect((await client.fetch(`/questions/${question.id}/picture`)).status).toBe(404);
      expect((await client.sees("step", ({ step }) => step === 1)).view.notes).toEqual([expect.stringMatching(/^approved: click at \(320, 240\), because it may delete/)]);
    });
  });

  it("refuses with words that the model is told, or stops the run", async () => {
    await withPage([CLOSE, CLOSE, DONE], async ({ agent, client, computer, server }) => {
      const running = agent.run("tidy up");
      const first = await client.asked();
      await client.post(`/questions/${first.id}`, { verdict: "refuse", reason: " there is unsaved work " });
      const second = await client.asked(first.id);
      expect(JSON.stringify(server.requests[1]!.messages.at(-1))).toContain("A person refused this: there is unsaved work");
      await client.post(`/questions/${second.id}`, { verdict: "stop" });
      expect(await running).toMatchObject({ stop: "person", reason: "Stopped by a person." });
      expect(done(computer)).toEqual([]);
      expect(await client.sees("result")).toMatchObject({ success: false, reason: "Stopped by a person." });
    });
  });

  it("is answered on the page or elsewhere, whichever comes first", async () => {
    const slow = person((_, signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))));
    await using page = await openLivePage();
    const client = new LiveClient(page.url);
    const following = client.follow();
    const { signal } = new AbortController();
    const request = { step: 1, action: { type: "wait", ms: 1 }, description: "wait", risks: [], picture: Buffer.alloc(0), shown: { left: 0, top: 0, right: 1, bottom: 1 } } as const;
    const byPage = anyApprover([slow, page.approver]).approve(request, signal);
    await client.post(`/questions/${(await client.asked()).id}`, { verdict: "refuse" });
    expect(await byPage).toEqual({ kind: "refuse" });
    const elsewhere = person(async () => {
      await client.asked("1");
      return { kind: "approve" };
    });
    expect(await anyApprover([elsewhere, page.approver]).approve(request, signal)).toEqual({ kind: "approve" });
    const questions = () => client.told.flatMap(({ event }) => (event.type === "asking" ? [event.question?.id] : []));
    await until("the question is withdrawn", () => questions().length === 4);
    expect(questions()).toEqual(["1", undefined, "2", undefined]);
    const words = page.approver.ask("Which file?", signal);
    const asked = await client.asked("2");
    expect(asked).toEqual({ id: "3", kind: "words", text: "Which file?" });
    expect((await client.post("/questions/3", { verdict: "approve" })).status).toBe(400);
    expect((await client.post("/questions/3", { words: "the blue one" })).status).toBe(204);
    expect(await words).toBe("the blue one");
    const unanswered = page.approver.ask("And now?", signal);
    await client.asked("3");
    const gone = expect(unanswered).rejects.toThrow(/closed before its question was answered/);
    await page.close();
    await gone;
    await following;
  });
});

describe("steering from the live page", () => {
  it("pauses, goes on, does one step, and what was planned before a pause is not done", async () => {
    await withPage([clickAt(100), clickAt(200), clickAt(300), DONE], async ({ agent, client, computer, server, page }) => {
      await client.steer("pause");
      expect(await client.sees("mode", ({ mode }) => mode === "paused")).toMatchObject({ reason: "Paused on the live page." });
      const running = agent.run("press OK");
      for (const step of [1, 2]) {
        await client.steer("step");
        await until("it has paused again", () => page.controller.state.mode === "paused" && server.requests.length === step);
        expect(done(computer)).toHaveLength(step);
      }
      await client.steer("resume");
      expect((await running).success).toBe(true);
      expect(done(computer)).toHaveLength(3);
    });
  });

  it("stops while the model speaks, whose request is cancelled", async () => {
    await withPage([clickAt(100), { text: "Action: ", hang: true }], async ({ agent, client, server, computer }) => {
      const running = agent.run("press OK");
      await client.sees("words", ({ step }) => step === 2);
      await client.steer("stop");
      expect(await running).toMatchObject({ stop: "person", reason: "Stopped by a person: on the live page." });
      await server.left;
      expect(computer.events.at(-1)).toEqual({ type: "releaseAll" });
    });
  });

  it("stops in the middle of an action, and what is held is released", async () => {
    let stop = async (): Promise<unknown> => undefined;
    await withPage([toolReply({ action: "left_click", coordinate: [500, 500], text: "shift" })], async ({ agent, client, computer }) => {
      stop = () => client.steer("stop");
      expect(await agent.run("press OK")).toMatchObject({ stop: "person" });
      expect(computer.events.map(({ type }) => type)).toEqual(["keyDown", "keyUp", "releaseAll"]);
      expect([computer.heldKeys.size, computer.held.size]).toEqual([0, 0]);
    }, {}, async ({ type }) => void (type === "keyDown" && (await stop())));
  });

  it("stops a run that is still getting ready", async () => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const controller = new RunController();
    try {
      const running = new Agent({ baseURL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`, controller }).run("press OK");
      const refused = expect(running).rejects.toMatchObject({ code: "cancelled", message: expect.stringContaining("Stopped by a person: enough") as string });
      await once(silent, "request");
      controller.stop("enough");
      await refused;
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});

describe("whoever opens the page", () => {
  it("late sees all of it so far, and after a lost connection what was missed and nothing twice", async () => {
    await withPage([clickAt(100), clickAt(200), { text: "Action: I look for the button", hang: true }], async ({ agent, client, page }) => {
      const running = agent.run("press OK");
      await client.sees("words", ({ step, text }) => step === 3 && text.endsWith("n"));
      const late = new LiveClient(page.url);
      void late.follow();
      await late.sees("words", ({ step, text }) => step === 3 && text.endsWith("n"));
      const told = late.told.map(({ event }) => event);
      expect(told.filter(({ type }) => type !== "words").map((event) => ("step" in event ? `${event.type} ${event.step}` : event.type))).toEqual(["mode", "run", "step 1", "tokens", "step 2", "looking 3", "screen 3", "reply 3"]);
      expect(told.flatMap((event) => (event.type === "words" ? event.text : [])).join("")).toBe("Action: I look for the button");
      expect(told.find(({ type }) => type === "run")).toMatchObject({ task: "press OK", maxSteps: 7, maxTokens: 5000, dryRun: false });
      expect(told.find(({ type }) => type === "tokens")).toEqual({ type: "tokens", tokens: 30 });
      const step = told.find((event) => event.type === "step");
      expect(step).toMatchObject({ view: { title: "click 100", actions: ["click at (64, 240)"], screen: { width: 640, height: 480 }, replies: [{ text: expect.stringContaining("computer_use(") as string }] } });
      // What is drawn is what the recording draws.
      expect(JSON.stringify(step)).toContain('"class":"line","cx":64.5,"cy":240.5');
      const picture = await late.fetch("/pictures/1");
      expect(await sharp(Buffer.from(await picture.arrayBuffer())).metadata()).toMatchObject({ format: "png", width: 640, height: 480 });
      expect([(await late.fetch("/pictures/4")).status, (await late.fetch("/pictures/..%2Ftrajectory.jsonl")).status]).toEqual([404, 404]);

      const half = client.told[client.told.findIndex(({ event }) => event.type === "screen" && event.step === 2)]!.id;
      const back = new LiveClient(page.url);
      void back.follow(half);
      await back.sees("words", ({ step, text }) => step === 3 && text.endsWith("n"));
      expect(back.told.map(({ id }) => id)).toEqual(late.told.map(({ id }) => id).filter((id) => id > half));
      late.leave();
      back.leave();
      await client.steer("stop");
      await running;
    }, { maxSteps: 7, maxTokens: 5000, confirm: "never" });
  });

  it("sees what functions of the program returned, and the replies that could not be used", () => {
    const timings = { captureMs: 1, encodeMs: 1, modelMs: 1, prefillMs: 1, decodeMs: 1, actMs: 1, settleMs: 1, totalMs: 7 };
    const line: StepLine = { type: "step", step: 1, startedAt: "2031-02-03T04:05:06.789Z", summary: "look it up", actions: [], timings, replies: [{ text: "?", toolCalls: [], error: "no call" }, { target: "the field", text: "here", toolCalls: [{ id: "1", name: "click", arguments: "{}" }] }], results: [{ name: "weather", text: "cloudy" }] };
    expect(new LiveStory().tell({ type: "step_ended", line })).toMatchObject({
      view: { title: "look it up", notes: ["weather returned: cloudy"], replies: [{ text: "?", refused: "no call" }, { target: "the field", text: "here\nclick({})" }], totalMs: 7 },
    });
  });

  it("sees of a dry run what would be done, and of a second run nothing of the first", async () => {
    await withPage([CLOSE, clickAt(100)], async ({ page, client, computer, server, dir }) => {
      const agent = (outDir: string) => new Agent({ ...QWEN, baseURL: server.url, computer, outDir, dryRun: true, onEvent: page.onEvent, approver: page.approver });
      await agent(dir).run("tidy up");
      const { plan } = await client.sees("planned");
      expect([plan.title, plan.actions]).toEqual(["close the window", ["press ctrl+w"]]);
      expect((await client.sees("run")).dryRun).toBe(true);
      expect((await client.sees("step")).view).toMatchObject({ notDone: "This is a dry run.", notes: [expect.stringMatching(/^would ask: press ctrl\+w, because it/)] });
      await agent(`${dir}-2`).run("press OK");
      const late = new LiveClient(page.url);
      void late.follow();
      await late.sees("result");
      expect(JSON.stringify(late.told)).not.toContain("tidy up");
      expect(late.told.filter(({ event }) => event.type === "step")).toHaveLength(1);
      late.leave();
      expect(computer.events.filter(({ type }) => type !== "releaseAll")).toEqual([]);
    });
  });

  it("never gets a secret: not in words that are cut in the middle of it, not in questions, not in pictures", async () => {
    const VALUE = "correct horse 7";
    const shown = (event: ComputerEvent) => event.type === "type" && event.text === VALUE;
    const withBar = (frame: { data: Uint8Array; widthPx: number }, computer: MemoryComputer) => {
      if (computer.events.some(shown)) for (let y = 300; y < 310; y++) frame.data.fill(100, (y * frame.widthPx + 100) * 4, (y * frame.widthPx + 200) * 4);
    };
    const replies = [
      toolReply({ action: "type", text: "{{secret:PIN}}" }),
      toolReply({ action: "left_click", coordinate: [234, 635] }, `Action: I read ${VALUE} and delete it, ${VALUE.slice(0, 9)}`),
      toolReply({ action: "answer", text: `It is ${VALUE}.` }),
    ];
    await withAgent(replies, async ({ server, computer, dir }) => {
      await using page = await openLivePage();
      const client = new LiveClient(page.url);
      void client.follow();
      const running = new Agent({ ...QWEN, baseURL: server.url, computer, outDir: dir, secretSource: async () => VALUE, approver: page.approver, onEvent: page.onEvent }).run("log in with {{secret:PIN}}");
      const first = await client.asked();
      await client.post(`/questions/${first.id}`, { verdict: "approve" });
      const second = await client.asked(first.id);
      const greyAt = async (path: string, x: number, y: number) => (await sharp(Buffer.from(await (await client.fetch(path)).arrayBuffer())).extract({ left: x, top: y, width: 1, height: 1 }).raw().toBuffer())[0];
      // 48 pixels around (150, 305): the bar where it was typed is black, above it all is white.
      expect([await greyAt(`/questions/${second.id}/picture`, 48, 48), await greyAt(`/questions/${second.id}/picture`, 48, 20)]).toEqual([0, 255]);
      expect([await greyAt("/pictures/1", 150, 305), await greyAt("/pictures/2", 150, 305)]).toEqual([255, 0]);
      await client.post(`/questions/${second.id}`, { verdict: "approve" });
      await running;
      await client.sees("result");
      const words = client.told.flatMap(({ event }) => (event.type === "words" && event.step === 2 ? event.text : [])).join("");
      expect(words).toBe(`Action: I read {{secret:PIN}} and delete it, ${VALUE.slice(0, 9)}`);
      expect(client.wire).not.toContain(VALUE);
      expect(client.told.find(({ event }) => event.type === "result")).toMatchObject({ event: { answer: "It is {{secret:PIN}}." } });
    }, { computer: { paint: withBar } });
  });
});

describe("whoever has no business on the page", () => {
  /** A request with headers of any kind, which `fetch` would not send. */
  async function ask(base: string, method: string, path: string, headers: Record<string, string>, body?: string): Promise<number> {
    const asking = request(`${base}${path}`, { method, headers });
    asking.end(body);
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    response.destroy();
    return response.statusCode!;
  }

  it("is refused: without the token, with another, under another name, from another page", async () => {
    await withPage([CLOSE, DONE], async ({ agent, client, computer, page }) => {
      const running = agent.run("tidy up");
      const { id } = await client.asked();
      const { base, token } = client;
      const own = { authorization: `Bearer ${token}` };
      const json = { "content-type": "application/json" };
      const routes = [["GET", "/events"], ["GET", "/pictures/1"], ["GET", `/questions/${id}/picture`], ["POST", "/steer", '{"do": "stop"}'], ["POST", `/questions/${id}`, '{"verdict": "approve"}']] as const;
      const wrong: [status: number, headers: Record<string, string>][] = [
        [401, {}],
        [401, { authorization: `Bearer ${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}` }],
        [401, { authorization: `Basic ${token}` }],
        [401, { cookie: `token=${token}` }],
        [403, { ...own, host: "evil.example" }],
        [403, { ...own, host: `127.0.0.1.evil.example:${new URL(base).port}` }],
        [403, { ...own, origin: "https://evil.example" }],
        [403, { ...own, origin: "null" }],
        [403, { ...own, origin: "http://127.0.0.1:1" }],
      ];
      for (const [method, path, body] of routes) {
        for (const [status, headers] of wrong) expect({ path, headers, status: await ask(base, method, path, { ...headers, ...(body && json) }, body) }).toEqual({ path, headers, status });
        // In the address it counts for nothing: addresses are kept in many places.
        expect(await ask(base, method, `${path}?token=${token}`, { ...(body && json) }, body)).toBe(401);
      }
      // What a form of another page could send.
      for (const type of ["text/plain", "application/x-www-form-urlencoded"]) expect(await ask(base, "POST", `/questions/${id}`, { ...own, "content-type": type }, '{"verdict": "approve"}')).toBe(415);
      expect(await ask(base, "POST", `/questions/${id}`, { ...own, ...json }, '{"verdict": "approve", "really": true}')).toBe(400);
      expect([page.controller.state.mode, done(computer)]).toEqual(["running", []]);
      // The same with everything right.
      expect(await ask(base, "POST", `/questions/${id}`, { ...own, ...json, origin: base }, '{"verdict": "approve"}')).toBe(204);
      await running;
      expect(done(computer)).toEqual(["chord"]);
    });
  });

  it("gets the empty page alone, which loads nothing from elsewhere and is framed by nobody", async () => {
    await using page = await openLivePage();
    const { base, token } = new LiveClient(page.url);
    expect(new URL(page.url)).toMatchObject({ hostname: "127.0.0.1", search: "", pathname: "/" });
    expect(Buffer.from(token, "base64url")).toHaveLength(32);
    const shell = await fetch(base);
    const html = await shell.text();
    expect(shell.status).toBe(200);
    expect(html).not.toContain(token);
    const policy = shell.headers.get("content-security-policy")!.split("; ");
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'none'", "require-trusted-types-for 'script'"]));
    expect([shell.headers.get("referrer-policy"), shell.headers.get("x-content-type-options")]).toEqual(["no-referrer", "nosniff"]);
    const assets = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path!);
    expect(assets.length).toBeGreaterThan(10);
    for (const path of new Set(assets)) expect({ path, status: (await fetch(`${base}/${path}`)).status }).toEqual({ path, status: 200 });
    // Another page has another token.
    await using other = await openLivePage();
    expect(new URL(other.url).hash).not.toBe(`#${token}`);
    expect((await fetch(`${new URL(other.url).origin}/events`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
  });

  it("finds nobody after it was closed, which leaves no stream and no port open", async () => {
    const page = await openLivePage();
    const clients = Array.from({ length: 16 }, () => new LiveClient(page.url));
    const following = clients.map((client) => client.follow());
    await Promise.all(clients.map((client) => client.sees("mode")));
    expect((await clients[0]!.fetch("/events")).status).toBe(429);
    await page.close();
    await page.close();
    await Promise.all(following);
    await expect(fetch(clients[0]!.base)).rejects.toThrow();
    const told: LiveEvent[] = clients.flatMap((client) => client.told.map(({ event }) => event));
    expect(told).toHaveLength(16);
  });

  it("is told of a port that is taken", async () => {
    await using page = await openLivePage();
    await expect(openLivePage({ port: Number(new URL(page.url).port) })).rejects.toMatchObject({ code: "port_in_use" });
  });
});
