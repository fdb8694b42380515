import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import type { MemoryComputer } from "../../src/agent/computer/memory.js";
import { openLivePage, type LivePage } from "../../src/agent/live/live-page.js";
import type { SoundSource } from "../../src/agent/voice/sound-source.js";
import { SpeechDetector } from "../../src/agent/voice/speech-detector.js";
import { VoiceControl, type VoiceEvent } from "../../src/agent/voice/voice-control.js";
import { launchBrowser, openTab } from "../server/page-browser.js";
import { until } from "../support/desktop.js";
import { LiveClient } from "./support/live-client.js";
import { tinyReply } from "./support/replies.js";
import { withAgent } from "./support/run-agent.js";
import type { ScriptedReply } from "./support/scripted-server.js";

/** `deskhand voice --watch`: a session of voice with the live page of its runs. What is said comes as words. */

const DELETE = tinyReply("click Delete", { action: "left_click", coordinate: [500, 500] });
const DONE = tinyReply("done", { action: "terminate", status: "success" });
const clicks = ({ events }: MemoryComputer) => events.filter(({ type }) => type === "click").length;

interface Watched {
  page: LivePage;
  client: LiveClient;
  control: VoiceControl;
  computer: MemoryComputer;
  events: VoiceEvent[];
  /** Ends what is heard: nobody says anything any more. */
  fallSilent: () => void;
  ended: Promise<boolean>;
}

async function session(replies: ScriptedReply[], use: (watched: Watched) => Promise<void>): Promise<void> {
  await withAgent(replies, async ({ server, computer }) => {
    const home = await mkdtemp(join(tmpdir(), "deskhand-voice-watch-"));
    await using page = await openLivePage({ hears: true });
    const { controller, approver } = page;
    const client = new LiveClient(page.url);
    const following = client.follow();
    const events: VoiceEvent[] = [];
    const control = new VoiceControl({
      transcribe: async () => "",
      segmenter: new SpeechDetector(),
      controller,
      approver,
      onEvent: (event) => events.push(event),
      work: (task, hold) => new Agent({ baseURL: server.url, model: "tiny", computer, outDir: join(home, String(events.length)), ...hold, onEvent: page.onEvent }).run(task, { signal: hold.signal }),
    });
    const samples = new Readable({ objectMode: true, read: () => undefined });
    const source: SoundSource = { name: "the room", live: true, samples: samples as AsyncIterable<Int16Array>, [Symbol.asyncDispose]: async () => void samples.push(null) };
    const ended = control.run(source);
    try {
      await use({ page, client, control, computer, events, fallSilent: () => void samples.push(null), ended });
    } finally {
      controller.stop("the test is over");
      samples.push(null);
      await ended;
      await page.close();
      await following;
      await rm(home, { recursive: true });
    }
  });
}

describe("a voice session that is watched", () => {
  it("is approved on the page, also when nobody is heard any more", async () => {
    await session([DELETE, DONE], async ({ client, control, computer, events, fallSilent, ended }) => {
      control.say("delete it");
      const question = await client.asked();
      fallSilent();
      expect(clicks(computer)).toBe(0);
      await client.post(`/questions/${question.id}`, { verdict: "approve" });
      expect(await ended).toBe(true);
      expect(clicks(computer)).toBe(1);
      expect(events.map(({ type }) => type)).toEqual(["task", "question", "result"]);
    });
  });

  it("is answered by voice as well: the page's question goes away", async () => {
    await session([DELETE, DONE], async ({ client, control, computer, events }) => {
      control.say("delete it");
      await client.asked();
      control.say("yes");
      await until("the task is done", () => events.some(({ type }) => type === "result"));
      expect(clicks(computer)).toBe(1);
      expect(await client.sees("asking", ({ question }) => question === undefined)).toBeDefined();
    });
  });

  it("stops from the page, and takes the next task", async () => {
    await session([{ text: "Action: ", hang: true }, DONE], async ({ client, control, events }) => {
      control.say("press Save");
      await client.sees("words");
      await client.steer("stop");
      await until("the task has ended", () => events.some(({ type }) => type === "result"));
      expect(events.at(-1)).toMatchObject({ type: "result", result: { success: false, stop: "person", reason: "Stopped by a person: on the live page." } });
      control.say("press Open");
      expect(await client.sees("run", ({ task }) => task === "press Open")).toBeDefined();
      expect(await client.sees("result", ({ success }) => success)).toBeDefined();
    });
  });
});

describe("what was heard", () => {
  it("is shown, the last few sentences of it, to those who come late too, and outlasts runs", async () => {
    await using page = await openLivePage({ hears: true });
    for (let count = 1; count <= 8; count++) page.onHeard(`sentence ${count}`);
    page.onEvent({ type: "step_began", step: 1 });
    const client = new LiveClient(page.url);
    const following = client.follow();
    expect((await client.sees("heard")).said).toEqual([3, 4, 5, 6, 7, 8].map((count) => `sentence ${count}`));
    expect(client.told.filter(({ event }) => event.type === "heard")).toHaveLength(1);
    await page.close();
    await following;
    expect(await client.sees("heard", ({ ended }) => ended === true)).toBeDefined();
  });

  it("stands on the page in a browser, as text, before and after a run", async () => {
    const browser = await launchBrowser();
    try {
      await session([DONE], async ({ page: live, control, events }) => {
        const { page, complaints } = await openTab(browser);
        await page.goto(live.url);
        await page.getByText("Say what to do.").waitFor();
        expect(await page.title()).toBe("Listening · Deskhand");
        live.onHeard('<b>press</b> "OK"');
        await page.getByRole("list", { name: "What was heard" }).getByText('<b>press</b> "OK"').waitFor();
        control.say("press OK");
        await page.getByRole("heading", { name: "press OK" }).waitFor();
        await until("the task is done", () => events.some(({ type }) => type === "result"));
        await page.getByText("Done", { exact: true }).waitFor();
        expect(await page.getByRole("list", { name: "What was heard" }).getByRole("listitem").allTextContents()).toEqual(['<b>press</b> "OK"']);
        expect(complaints).toEqual([]);
      });
    } finally {
      await browser.close();
    }
  });
});
