import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LiveClient } from "./support/live-client.js";
import { tinyReply } from "./support/replies.js";
import { readTrajectory } from "./support/run-agent.js";
import { ScriptedServer, type ScriptedReply } from "./support/scripted-server.js";

/** `deskhand agent` as a user runs it: a process of its own, a virtual display, a scripted model. */
const BIN = fileURLToPath(new URL("../../bin/deskhand.js", import.meta.url));
const CLICK = tinyReply("click OK", { action: "left_click", coordinate: [500, 500] });

let home: string;
// Whatever the checkout still has to build is built, and said, here.
beforeAll(() => once(spawn(process.execPath, [BIN, "--version"], { stdio: "ignore" }), "exit"));
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "deskhand-agent-"));
});
afterEach(() => rm(home, { recursive: true }));

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [BIN, "agent", ...args], { cwd: home, stdio: ["ignore", "pipe", "pipe"] });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>]);
  return { child, ended: ended.then(([stdout, stderr, [code, signal]]) => ({ stdout, stderr, code, signal })) };
}

async function run(replies: ScriptedReply[], ...args: string[]) {
  await using server = await ScriptedServer.start(replies);
  // Awaited here: the server must outlive the command.
  return await start(["press OK", "--base-url", server.url, "--display", "virtual", ...args]).ended;
}

describe("deskhand agent", () => {
  it("ends with 0 on success, steps with their times on stderr, result and folder on stdout", async () => {
    const { code, stdout, stderr } = await run([CLICK, tinyReply("done", { action: "terminate", status: "success" })], "--out", "here");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(/^ {2}1 {2}click OK +\d+\.\d\d s .*prefill \d+ ms, decode \d+ ms/m);
    expect(stderr).toMatch(/^ {2}2 {2}done /m);
    expect(stdout).toMatch(/^success: .*\(2 steps, .* s\)\ntrajectory: .*\/here\n$/);
    const { run: header, result } = await readTrajectory({ trajectoryDir: join(home, "here") });
    // The size that this model was trained on.
    expect(header.display).toMatch(/^:\d+, 640 × 480$/);
    expect(result.success).toBe(true);
  });

  it("ends with 1 when the model gives up, and puts the trajectory under trajectories/", async () => {
    const { code, stdout } = await run([tinyReply("done", { action: "terminate", status: "failure" })]);
    expect(code).toBe(1);
    const trajectoryDir = /^trajectory: (.*\/trajectories\/.*press-ok_....)$/m.exec(stdout)?.[1];
    expect((await readTrajectory({ trajectoryDir: trajectoryDir! })).result).toMatchObject({ success: false, stop: "terminate" });
  });

  it("ends with 1 at the limit of steps", async () => {
    const { code, stdout } = await run([CLICK, CLICK, CLICK], "--max-steps", "2");
    expect(code).toBe(1);
    expect(stdout).toMatch(/limit of 2 steps/);
  });

  it("ends with 1 at the limit of seconds", async () => {
    const { code, stdout } = await run([{ text: "Action: ", hang: true }], "--max-seconds", "0.5");
    expect(code).toBe(1);
    expect(stdout).toMatch(/limit of 0\.5 s/);
  });

  it("refuses what is risky when there is no terminal to ask in, and says why", async () => {
    const { code, stdout, stderr } = await run([tinyReply("click Delete", { action: "left_click", coordinate: [500, 500] })]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ {5}refused: click at \(320, 240\), because it may delete something/m);
    expect(stdout).toMatch(/^not done: Not allowed: click at \(320, 240\)\. .*there is nobody to ask/);
  });

  it("plans without touching anything", async () => {
    const { code, stdout } = await run([CLICK], "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^success: Dry run: nothing was touched\. Planned: click at \(320, 240\)\./);
  });

  it.each([
    [["--region", "1,2,3"]],
    [["--max-steps", "0"]],
    [["--max-seconds", "soon"]],
    [["--max-tokens", "0"]],
    [["--watch-port", "70000"]],
    [["--confirm", "maybe"]],
    [["--capabilities", "nowhere.yaml"]],
    [["--dialect", "klingon"]],
    [["--base-url", "localhost"]],
    [["--wibble"]],
  ])("ends with 2 for bad usage: %j", async (args) => {
    const { code, stdout, stderr } = await start(["press OK", "--model", "tiny", ...args]).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: /);
  });

  it("does not let the model's words control the terminal", async () => {
    const { stdout, stderr } = await run([tinyReply("\u001b[2J\u009b31mclick\u202e OK", { action: "wait", time: 1 }), tinyReply("done", { action: "terminate", status: "success" })]);
    expect(stderr).toMatch(/^ {2}1 {2}.*click/m);
    expect(stderr + stdout).not.toMatch(/[\u001b\u009b\u202e]/);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("on %s stops the model, writes the trajectory and ends with 1", async (signal) => {
    await using server = await ScriptedServer.start([CLICK, { text: "Action: ", hang: true }]);
    const { child, ended } = start(["press OK", "--base-url", server.url, "--display", "virtual", "--out", "here"]);
    const early = ended.then(({ stderr }) => {
      throw new Error(`ended too early: ${stderr}`);
    });
    early.catch(() => undefined);
    while (server.requests.length < 2) await Promise.race([delay(20), early]);
    child.kill(signal);
    await server.left;
    const { code, stdout } = await ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^not done: Stopped by the caller: ${signal}\\.`));
    const { steps, result } = await readTrajectory({ trajectoryDir: join(home, "here") });
    expect(steps).toHaveLength(2);
    expect(result).toMatchObject({ success: false, stop: "aborted" });
  });

  it("with --watch serves a page whose stop ends it, and one with a page in a browser ends by Ctrl-C too", async () => {
    for (const end of ["page", "SIGINT"] as const) {
      await using server = await ScriptedServer.start([CLICK, { text: "Action: ", hang: true }]);
      const { child, ended } = start(["press OK", "--base-url", server.url, "--display", "virtual", "--watch", "--out", end]);
      const address = new Promise<string>((resolve) => child.stderr.on("data", (text: Buffer) => /^watch: (\S+)$/m.exec(String(text))?.[1] && resolve(/^watch: (\S+)$/m.exec(String(text))![1]!)));
      const early = ended.then(({ stderr }) => {
        throw new Error(`ended too early: ${stderr}`);
      });
      early.catch(() => undefined);
      const client = new LiveClient(await Promise.race([address, early]));
      const following = client.follow();
      await Promise.race([client.sees("words", ({ step }) => step === 2), early]);
      if (end === "page") expect((await client.steer("stop")).status).toBe(204);
      else child.kill(end);
      const { code, stdout } = await ended;
      expect(code).toBe(1);
      expect(stdout).toMatch(end === "page" ? /^not done: Stopped by a person: on the live page\./ : /^not done: Stopped by the caller: SIGINT\./);
      await following;
      expect(client.told.at(-1)?.event).toMatchObject({ type: "result", success: false });
    }
  });

  it("ends at once on the second Ctrl-C, even when cleaning up hangs", async () => {
    const child = spawn(process.execPath, ["--import", "tsx", fileURLToPath(new URL("support/stubborn.ts", import.meta.url))], { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    const heard: string[] = [];
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      heard.push(String(chunk).trim());
      child.kill("SIGINT");
    }
    expect(heard).toEqual(["ready", "aborted"]);
    expect(await exited).toEqual([null, "SIGINT"]);
  });
});
