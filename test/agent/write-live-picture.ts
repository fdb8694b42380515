// Writes docs/live.png: the live page while the embedded model asks before it presses Delete in a real form. `npm run docs:live` runs it.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { Agent } from "../../src/agent/agent.js";
import { openComputer } from "../../src/agent/computer/index.js";
import { openLivePage } from "../../src/agent/live/live-page.js";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { serve } from "../../src/server/start.js";
import { launchBrowser } from "../server/page-browser.js";
import { ENGINE_PROGRAM } from "../server/support.js";
import { startApplication } from "../support/desktop.js";

const PICTURE = new URL("../../docs/live.png", import.meta.url);
const SIZE = { width: 1280, height: 1080 };
const FORM = ["--forms", "--title=Accounts", "--text=Close an account", "--add-entry=Name", "--add-entry=Email", "--ok-label=Delete"];
/** A page with a screenshot in it. */
const COLOURS = 200;

await using server = await serve({ engine: new ProcessEngine("tiny", { program: ENGINE_PROGRAM }), port: 0 });
const opened = await openComputer({ display: "virtual", widthPx: 640, heightPx: 480 });
const folder = await mkdtemp(join(tmpdir(), "deskhand-live-"));
const browser = await launchBrowser();
try {
  const form = await startApplication(opened.env, "zenity", FORM);
  await using live = await openLivePage();
  const { approver, controller, onEvent } = live;
  const agent = new Agent({ baseURL: server.url, computer: opened.computer, outDir: join(folder, "run"), maxSteps: 20, maxSeconds: 600, maxTokens: 20_000, approver, controller, onEvent });
  const page = await browser.newPage({ viewport: SIZE, colorScheme: "light" });
  await page.goto(live.url);
  const running = agent.run("set Name to Ada, Email to ada@example.org, then press Delete");
  const over = running.then(({ reason }) => Promise.reject(new Error(`the run ended without asking: ${reason}`)));
  await Promise.race([page.locator(".target .ring").waitFor({ timeout: 300_000 }), over]);
  await page.getByRole("button", { name: "Approve" }).and(page.locator(":enabled")).waitFor();
  await writeFile(PICTURE, await sharp(await page.screenshot()).png({ palette: true, colours: COLOURS, compressionLevel: 9, effort: 10 }).toBuffer());
  over.catch(() => undefined);
  controller.stop("the picture is taken");
  await running;
  await form.kill();
} finally {
  await browser.close();
  await opened.close();
  await rm(folder, { recursive: true });
}
