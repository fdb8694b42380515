import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { html } from "../../src/agent/recorder/html.js";
import { Recorder } from "../../src/agent/recorder/recorder.js";
import type { TrajectoryLine } from "../../src/agent/recorder/records.js";
import { tinyReply, toolReply } from "./support/replies.js";
import { readTrajectory, RUN, withAgent } from "./support/run-agent.js";
import { ScriptedServer } from "./support/scripted-server.js";

const EVIL = `<script>alert(1)</script><img src=x onerror=alert(2)>"'&\u0000\u001b[31m`;
const CLICK = tinyReply("click OK", { action: "left_click", coordinate: [500, 500] });
const DONE = tinyReply("done", { action: "terminate", status: "success" });

describe("trajectory folder", () => {
  it("holds a line for the run, one for each step and one for the result, and a picture for each step", async () => {
    const click = { ...CLICK, usage: { prompt_tokens: 340, completion_tokens: 20, total_tokens: 360, prompt_tokens_details: { cached_tokens: 12 } }, timings: { process_ms: 5, prefill_ms: 70, decode_ms: 30 } };
    await withAgent([click, DONE], async ({ agent, dir, server }) => {
      const result = await agent.run("press OK");
      expect(result.trajectoryDir).toBe(dir);
      const { lines, run, steps, result: last, files } = await readTrajectory(result);
      expect(files).toEqual(["index.html", "step-001.png", "step-002.png", "trajectory.jsonl"]);
      expect(lines.map(({ type }) => type)).toEqual(["run", "step", "step", "result"]);
      expect(run).toMatchObject({ version: 2, task: "press OK", model: "tiny", dialect: "tiny", baseURL: server.url, display: "640 × 480", limits: { maxSteps: 50 } });
      expect(run.versions).toMatchObject({ node: process.version, deskhand: expect.stringMatching(/^\d+\.\d+\.\d+/) as string });
      expect(steps[0]).toMatchObject({
        step: 1,
        picture: "step-001.png",
        summary: "click OK",
        replies: [{ text: CLICK.text, finishReason: "stop", usage: { promptTokens: 340, completionTokens: 20, cachedTokens: 12 }, serverTimings: { process_ms: 5, prefill_ms: 70, decode_ms: 30 } }],
        actions: [{ action: { type: "click", at: { x: 320, y: 240 } }, points: [{ model: { x: 500, y: 500 }, sent: { x: 320, y: 240 }, captured: { x: 320, y: 240 }, logical: { x: 320, y: 240 }, os: { x: 320, y: 240 } }] }],
        chain: { space: { kind: "relative", max: 1000 }, sent: { width: 640, height: 480 }, captured: { width: 640, height: 480 } },
      });
      const { timings } = steps[0]!;
      expect(timings).toMatchObject({ prefillMs: 75, decodeMs: 30 });
      for (const phase of ["captureMs", "encodeMs", "modelMs", "actMs", "settleMs", "totalMs"] as const) expect(timings[phase], phase).toBeGreaterThanOrEqual(0);
      expect(timings.totalMs + 0.5).toBeGreaterThanOrEqual(timings.captureMs + timings.encodeMs + timings.modelMs + timings.actMs + timings.settleMs);
      expect(last).toMatchObject({ success: true, stop: "terminate", steps: 2 });
      expect(await sharp(join(dir, "step-001.png")).metadata()).toMatchObject({ width: 640, height: 480 });
    });
  });

  it("is its owner's alone", async () => {
    await withAgent([DONE], async ({ agent, dir }) => {
      await agent.run("go");
      expect((await stat(dir)).mode & 0o777).toBe(0o700);
      for (const file of await readdir(dir)) expect((await stat(join(dir, file))).mode & 0o077, file).toBe(0);
    });
  });

  it("keeps every finished step when the process is killed", async () => {
    await using server = await ScriptedServer.start([CLICK, CLICK, CLICK, DONE]);
    const parent = await mkdtemp(join(tmpdir(), "deskhand-test-"));
    try {
      const dir = join(parent, "run");
      const script = join(import.meta.dirname, "support", "killed-run.ts");
      const child = spawn(process.execPath, ["--import", "tsx", script, server.url, dir], { stdio: "inherit" });
      const [, signal] = (await once(child, "exit")) as [number | null, string | null];
      expect(signal).toBe("SIGKILL");
      const text = await readFile(join(dir, "trajectory.jsonl"), "utf8");
      expect(text.endsWith("\n")).toBe(true);
      const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line) as TrajectoryLine);
      expect(lines.map(({ type }) => type)).toEqual(["run", "step", "step"]);
      expect((await readdir(dir)).sort()).toEqual(["step-001.png", "step-002.png", "step-003.png", "trajectory.jsonl"]);
    } finally {
      await rm(parent, { recursive: true });
    }
  });

  it("gets a name of its own from time and task when none is given", async () => {
    const parent = await mkdtemp(join(tmpdir(), "deskhand-test-"));
    const home = process.cwd();
    try {
      process.chdir(parent);
      const run = { ...RUN, task: "../../etc: Öffne \"Bericht\"!" };
      await using first = await Recorder.create(undefined, run);
      await using second = await Recorder.create(undefined, run);
      expect(first.dir).not.toBe(second.dir);
      for (const { dir } of [first, second]) expect(dir).toMatch(/\/trajectories\/2031-02-03_04-05-06_etc-öffne-bericht_[0-9a-f]{4}$/);
    } finally {
      process.chdir(home);
      await rm(parent, { recursive: true });
    }
  });
});

describe("page", () => {
  it("is written and complete after a failure too", async () => {
    await withAgent([CLICK, { status: 500, body: { error: { message: "boom" } } }], async ({ agent }) => {
      const { html: page } = await readTrajectory(await agent.run("go"));
      expect(page).toContain("Not done");
      expect(page).toContain("boom");
      expect(page.trimEnd().endsWith("</html>")).toBe(true);
    });
  });

  it("shows the very pictures of the folder, the action drawn at its place", async () => {
    await withAgent([CLICK, DONE], async ({ agent, dir }) => {
      const { html: page } = await readTrajectory(await agent.run("go"));
      for (const file of ["step-001.png", "step-002.png"]) expect(page).toContain((await readFile(join(dir, file))).toString("base64"));
      // The middle of pixel 320, 240 in the display's own units.
      expect(page).toMatch(/<svg [^>]*viewBox="0 0 640 480"/);
      expect(page).toMatch(/<circle class="line" cx="320.5" cy="240.5"/);
    });
  });

  it("needs no network and runs no script", async () => {
    await withAgent([CLICK, DONE], async ({ agent }) => {
      const { html: page } = await readTrajectory(await agent.run("go"));
      expect(page).toContain(`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`);
      expect(page).not.toMatch(/<script|<link|<iframe|<object|@import|url\(/i);
      for (const [, value] of page.matchAll(/(?:src|href)="([^"]*)"/g)) expect(value).toMatch(/^(data:image\/png;base64,|#)/);
    });
  });

  it("escapes everything that the task, the model, the screen's text or the server say", async () => {
    const replies = [
      { text: EVIL, toolCalls: [{ name: EVIL, arguments: "{}" }] },
      toolReply({ action: "type", text: EVIL }, EVIL),
      toolReply({ action: "key", keys: ["ctrl", "a"] }),
      toolReply({ action: "answer", text: EVIL }),
    ];
    await withAgent(replies, async ({ agent }) => {
      const { html: page } = await readTrajectory(await agent.run(EVIL));
      expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
      expect(page).not.toMatch(/<script|<img src=x|\u0000|\u001b/);
    }, { agent: { model: EVIL, dialect: "qwen3" } });
  });

  it("escapes in text and in attributes, but not what is markup already", () => {
    expect(html`<a title="${`"><b>`}">${["<", html`<i>${"&"}</i>`, 5]}${undefined}</a>`.toString()).toBe('<a title="&quot;&gt;&lt;b&gt;">&lt;<i>&amp;</i>5</a>');
  });
});
