import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportFilm } from "../../src/agent/film/export.js";
import { replayParse } from "../../src/agent/replay/parse-replay.js";
import { readTrajectory as readStored } from "../../src/agent/replay/read-trajectory.js";
import { tinyReply } from "../agent/support/replies.js";
import { readTrajectory } from "../agent/support/run-agent.js";
import { ScriptedServer } from "../agent/support/scripted-server.js";

/** `npm start` as a user runs it: the embedded model on our own engine, a real X display, a real GTK form that says what it received. */
const START = fileURLToPath(new URL("../../scripts/start.js", import.meta.url));

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "deskhand-main-job-"));
});
afterEach(() => rm(home, { recursive: true }));

/**
 * Starts the job with a `zenity` before the real one that keeps what the form printed and how it ended, so that the form itself is the
 * judge. Every process of the run carries a mark in its environment.
 */
async function start(...args: string[]) {
  const real = (await promisify(execFile)("sh", ["-c", "command -v zenity"])).stdout.trim();
  await mkdir(join(home, "bin"));
  const wrapper = `#!/bin/sh\n${real} "$@" > ${home}/printed\ncode=$?\ncat ${home}/printed\necho $code > ${home}/code\nexit $code\n`;
  await writeFile(join(home, "bin", "zenity"), wrapper, { mode: 0o755 });
  const env = { ...process.env, PATH: `${home}/bin:${process.env["PATH"]}`, DESKHAND_TEST_MARK: home };
  const child = spawn(process.execPath, [START, ...args], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close") as Promise<[number | null]>]);
  return { child, ended: ended.then(([stdout, stderr, [code]]) => ({ stdout, stderr, code })) };
}

async function folder(): Promise<string> {
  const [name] = await readdir(join(home, "trajectories"));
  return join(home, "trajectories", name!);
}

async function trajectory() {
  return readTrajectory({ trajectoryDir: await folder() });
}

/** Command lines of the processes that the run left behind. */
async function leftBehind(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // Processes may vanish, and others' are not ours to read.
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.includes(`DESKHAND_TEST_MARK=${home}`)) found.push(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
  }
  return found.filter((line) => line !== "");
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(50);
}

describe("npm start", () => {
  it("fills in a real form exactly, with the embedded model", async () => {
    const { code, stdout, stderr } = await (await start()).ended;
    expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
    expect(await readFile(join(home, "printed"), "utf8")).toBe("Ada|Lovelace|ada@example.org|London\n");
    expect(await readFile(join(home, "code"), "utf8")).toBe("0\n");

    const { run, steps, result, files } = await trajectory();
    expect(run).toMatchObject({ model: "tiny", dialect: "tiny", display: "640 × 480" });
    expect(result).toMatchObject({ success: true, stop: "terminate", steps: steps.length });
    for (const { step, summary, timings, replies } of steps) {
      expect(stderr).toMatch(new RegExp(`^ +${step}  ${summary!.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")} +\\d+\\.\\d\\d s `, "m"));
      expect(timings.prefillMs).toBeGreaterThan(0);
      expect(replies[0]!.serverTimings).toBeDefined();
      expect(files).toContain(`step-${String(step).padStart(3, "0")}.png`);
    }
    expect(files).toContain("index.html");

    // What was recorded on a real display can be read again to the same actions, and shown as a film: the task, each step, the end.
    const stored = await readStored(await folder());
    const replay = await replayParse(stored);
    expect(replay.counts).toEqual({ same: steps.length, different: 0, unusable: 0, skipped: 0 });
    const film = await sharp(await exportFilm(stored, { out: join(home, "run.gif"), secondsPerStep: 0.5, widthPx: 320 })).metadata();
    expect(film.pages).toBeGreaterThanOrEqual(steps.length + 1);
    await until(async () => (await leftBehind()).length === 0);
  });

  it("on Ctrl-C ends with 1, writes the trajectory and leaves nothing running", async () => {
    const { child, ended } = await start();
    const early = ended.then(({ stderr }) => {
      throw new Error(`ended too early: ${stderr}`);
    });
    early.catch(() => undefined);
    await Promise.race([early, until(async () => (await readdir(join(home, "trajectories")).catch(() => [])).length > 0)]);
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^not done: Stopped by the caller: SIGINT/);
    expect((await trajectory()).result).toMatchObject({ success: false, stop: "aborted" });
    await until(async () => (await leftBehind()).length === 0);
  });

  it("with another task does that task", async () => {
    await using server = await ScriptedServer.start([tinyReply("done", { action: "terminate", status: "success" })]);
    const { code, stdout } = await (await start("open the door", "--base-url", server.url, "--model", "tiny", "--display", "virtual")).ended;
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(JSON.stringify(server.requests[0]!.messages)).toContain("Task: open the door");
    expect((await trajectory()).run.task).toBe("open the door");
  });
});
