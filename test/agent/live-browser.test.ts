import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Agent, type AgentOptions } from "../../src/agent/agent.js";
import type { MemoryComputer } from "../../src/agent/computer/memory.js";
import { openLivePage, type LivePage } from "../../src/agent/live/live-page.js";
import { launchBrowser, openTab } from "../server/page-browser.js";
import { until } from "../support/desktop.js";
import { oneWindow } from "./support/people.js";
import { toolReply } from "./support/replies.js";
import { withAgent, type ScriptedRun } from "./support/run-agent.js";
import type { ScriptedReply } from "./support/scripted-server.js";

/** The live page as a person has it: in Chromium, beside a run with a scripted model and a computer in memory. */
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** The test's own time limit is the only one. */
const PATIENT = { timeout: 100_000 };
const QWEN = { model: "qwen", dialect: "qwen3" };
const DONE = toolReply({ action: "terminate", status: "success" }, "Action: done");
const EVIL = `<img src=x onerror="document.title='pwned'"><b>bold</b>`;
const clicks = ({ events }: MemoryComputer) => events.filter(({ type }) => type === "click").length;
/** Every event shows: the screen's upper lines get darker. */
const paint = (frame: { data: Uint8Array }, { events }: MemoryComputer) => frame.data.fill(8 * events.length, 0, 40_000);

interface Watched extends ScriptedRun {
  live: LivePage;
  page: Page;
  /** What the browser complained of. */
  complaints: string[];
  asked: string[];
}

async function watch(replies: ScriptedReply[], use: (watched: Watched) => Promise<void>, options: { agent?: AgentOptions; context?: BrowserContextOptions } = {}): Promise<void> {
  const window = { id: "1", applications: ["gedit"], title: `Untitled ${EVIL}` };
  await withAgent(replies, async (run) => {
    await using live = await openLivePage();
    const { approver, controller, onEvent } = live;
    const agent = new Agent({ ...QWEN, baseURL: run.server.url, computer: run.computer, outDir: run.dir, approver, controller, onEvent, ...options.agent });
    const { context, page, complaints, asked } = await openTab(browser, options.context);
    context.setDefaultTimeout(PATIENT.timeout);
    try {
      await page.goto(live.url);
      await use({ ...run, agent, live, page, complaints, asked });
    } finally {
      live.controller.stop("the test is over");
      await context.close();
    }
  }, { computer: { paint, windows: oneWindow(window) } });
}

/** A way to the live page that can be cut off. */
async function throughCable(address: string): Promise<AsyncDisposable & { url: string; cut(): void; mend(): void }> {
  const ends = new Set<Socket>();
  let isCut = false;
  const cable = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(Number(new URL(address).port), "127.0.0.1");
    for (const end of [near, far]) {
      ends.add(end);
      end.on("error", () => undefined).on("close", () => (ends.delete(end), near.destroy(), far.destroy()));
    }
    near.pipe(far).pipe(near);
  }).listen(0, "127.0.0.1");
  await once(cable, "listening");
  const cut = () => {
    isCut = true;
    for (const end of ends) end.destroy();
  };
  return {
    url: Object.assign(new URL(address), { port: String((cable.address() as AddressInfo).port) }).href,
    cut,
    mend: () => void (isCut = false),
    [Symbol.asyncDispose]: async () => {
      cut();
      cable.close();
      await once(cable, "close");
    },
  };
}

const mode = (page: Page) => page.locator("#mode");

describe("the live page", () => {
  it("shows the screen with the action on it and the model's words, and its button lets the action happen", async () => {
    await watch([toolReply({ action: "left_click", coordinate: [500, 500] }, "Action: click Delete"), DONE], async ({ agent, page, computer, complaints, asked, live }) => {
      await mode(page).getByText("Getting ready").waitFor();
      const running = agent.run(`tidy up ${EVIL}`);
      await page.getByRole("heading", { name: "May it do this?" }).waitFor();
      // The picture is there, whole, and the circle stands in its middle.
      const picture = page.locator("#picture");
      await expect.poll(() => picture.evaluate((image: { naturalWidth: number; naturalHeight: number }) => [image.naturalWidth, image.naturalHeight]), PATIENT).toEqual([640, 480]);
      const [frame, ring] = [(await page.locator("#screen").boundingBox())!, (await page.locator("#screen svg circle.dot").boundingBox())!];
      expect(frame.width / frame.height).toBeCloseTo(640 / 480, 1);
      expect(Math.abs(ring.x + ring.width / 2 - frame.x - frame.width / 2)).toBeLessThan(3);
      expect(Math.abs(ring.y + ring.height / 2 - frame.y - frame.height / 2)).toBeLessThan(3);
      await page.getByLabel("The model's words").getByText("Action: click Delete").waitFor();
      await page.locator("#step .doing", { hasText: "Next: click at (320, 240)" }).waitFor();
      const card = page.locator("#question");
      expect(await card.textContent()).toContain(`click at (320, 240) in "Untitled ${EVIL.replaceAll('"', '\\"')}"`);
      await card.getByText("may delete something by the model's own words").waitFor();
      await card.locator(".target .ring").waitFor();
      expect(await page.title()).toBe(`Waits for your approval · tidy up ${EVIL}`);
      expect(clicks(computer)).toBe(0);
      await card.getByRole("button", { name: "Approve" }).click();
      expect((await running).success).toBe(true);
      expect(clicks(computer)).toBe(1);
      await mode(page).getByText("Done").waitFor();
      await card.waitFor({ state: "hidden" });
      expect(await page.locator("#steps li").count()).toBe(2);
      // Back to what was: the step that was approved.
      await page.locator("#steps button", { hasText: "click Delete" }).click();
      await page.getByText("approved: click at (320, 240)").waitFor();
      await page.getByRole("button", { name: "Back to now" }).click();
      await page.locator("#step h2", { hasText: "done" }).waitFor();
      // What screens and models say was text throughout; the address bar does not keep the token, and everything came from here.
      expect(await page.locator("b:text-is('bold'), img[src='x']").count()).toBe(0);
      expect(complaints).toEqual([]);
      expect(page.url()).toBe(`${new URL(live.url).origin}/`);
      expect(asked.filter((url) => !url.startsWith(page.url()) && !url.startsWith("blob:"))).toEqual([]);
      expect(asked.filter((url) => url.includes(new URL(live.url).hash.slice(1)))).toEqual([]);
      await page.reload();
      await mode(page).getByText("Done").waitFor();
    });
  });

  it("is worked by keys alone: P pauses, N does a step, Return in the field denies with these words, Escape stops", async () => {
    await watch([toolReply({ action: "left_click", coordinate: [100, 500] }, "Action: click 1"), toolReply({ action: "key", keys: ["ctrl", "w"] }, "Action: close it"), { text: "Action: and then", hang: true }], async ({ agent, page, computer, server }) => {
      await expect.poll(() => page.locator("#pause").isEnabled(), PATIENT).toBe(true);
      await page.keyboard.press("p");
      await mode(page).getByText("Paused: Paused on the live page.").waitFor();
      const running = agent.run("tidy up");
      await page.keyboard.press("n");
      await mode(page).getByText("Paused: One step was done.").waitFor();
      expect(clicks(computer)).toBe(1);
      await page.keyboard.press("p");
      await page.getByLabel("Why not").waitFor();
      // To the first button, which is not pressed by accident: the focus has to be led there.
      expect(await page.evaluate("document.activeElement.tagName")).toBe("BODY");
      await page.getByLabel("Why not").focus();
      await page.keyboard.type("not now, pn");
      await page.keyboard.press("Enter");
      await page.locator("#question").waitFor({ state: "hidden" });
      await page.getByLabel("The model's words").getByText("Action: and then").waitFor();
      expect(JSON.stringify(server.requests[2]!.messages.at(-1))).toContain("A person refused this: not now, pn");
      await page.keyboard.press("Escape");
      expect(await running).toMatchObject({ stop: "person" });
      await mode(page).getByText("Not done").waitFor();
      expect(await page.locator("#result").textContent()).toBe("Stopped by a person: on the live page.");
      expect(await page.locator("#stop-run").isDisabled()).toBe(true);
    });
  });

  it("fits a phone, is dark where the system is, and shows limits and a dry run", async () => {
    const long = "w".repeat(300);
    await watch([toolReply({ action: "key", keys: ["ctrl", "w"] }, `Action: ${long}`)], async ({ agent, page }) => {
      await agent.run(`tidy up ${long}`);
      await page.locator("#step .doing", { hasText: "Would do: press ctrl+w" }).waitFor();
      await page.getByText("would ask: press ctrl+w").waitFor();
      expect(await page.locator("#facts").textContent()).toContain("dry run");
      expect((await page.locator("#budgets dd").allTextContents()).map((text) => text.replace(/^[\d.]+ s/, "T"))).toEqual(["1 of 50", "T of 1:30 min", "15 of 2,000"]);
      expect(await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")).toEqual([360, 360]);
      const colour = await page.evaluate<string>("getComputedStyle(document.documentElement).backgroundColor");
      expect(Math.max(...colour.match(/\d+/g)!.map(Number))).toBeLessThan(60);
    }, { agent: { dryRun: true, maxSeconds: 90, maxTokens: 2000 }, context: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, colorScheme: "dark" } });
  });

  it("comes back after a lost connection with what it missed, and says when the run and its page are over", async () => {
    await watch([toolReply({ action: "left_click", coordinate: [100, 500] }, "Action: click 1"), { text: "Action: and then", hang: true }], async ({ agent, page, live, server }) => {
      await using cable = await throughCable(live.url);
      await page.goto(cable.url);
      live.controller.pause("for a test");
      const running = agent.run("tidy up");
      await mode(page).getByText("Paused: for a test").waitFor();
      cable.cut();
      await mode(page).getByText("Not connected").waitFor();
      live.controller.resume();
      await until("the model was asked again", () => server.requests.length === 2);
      cable.mend();
      await page.getByLabel("The model's words").getByText(/^Action: and then$/).waitFor();
      expect(await page.locator("#steps li").count()).toBe(2);
      live.controller.stop("");
      await running;
      await live.close();
      await page.getByText("The run is over and its page is closed").waitFor();
    });
  });

  it("opens by its whole address only", async () => {
    await watch([], async ({ page, live }) => {
      const stranger = await page.context().newPage();
      await stranger.goto(new URL(live.url).origin);
      await mode(stranger).getByText("No access").waitFor();
      await stranger.getByText("This page opens only by the whole address").waitFor();
      expect(await stranger.locator("#stop-run").isDisabled()).toBe(true);
      await stranger.goto(live.url);
      await mode(stranger).getByText("Getting ready").waitFor();
      await stranger.close();
      expect(await page.title()).toBe("Getting ready · Deskhand");
    });
  });
});
