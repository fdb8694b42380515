import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { which } from "../../scripts/setup/run.js";
import { ScriptedEngine, type Script, type ScriptedEngineOptions } from "../../src/engine/scripted-engine.js";
import { serve } from "../../src/server/start.js";

/** A browser without a window, whose camera and microphone are played by itself. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: which("chromium"), args: ["--use-fake-device-for-media-stream"] });
}

/** An empty tab, and what comes of it: what the browser complained of (errors of scripts, refusals of the policy, requests that failed), and what it asked for. */
export async function openTab(browser: Browser, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("request", (request) => asked.push(request.url()));
  return { context, page, complaints, asked };
}

/** The chat page of a server that answers from a script, in a tab of its own. */
export async function openPage(browser: Browser, script: Script, options: BrowserContextOptions & { engine?: ScriptedEngineOptions; apiKey?: string } = {}) {
  const { engine: engineOptions, apiKey, ...contextOptions } = options;
  const engine = new ScriptedEngine(script, engineOptions);
  const server = await serve({ engine, port: 0, apiKey });
  const { context, page, complaints, asked } = await openTab(browser, contextOptions);
  await page.goto(server.url);
  if (apiKey === undefined) await page.locator("#model option").first().waitFor({ state: "attached" });
  return {
    engine,
    server,
    context,
    page,
    complaints,
    asked,
    [Symbol.asyncDispose]: async () => {
      await page.unrouteAll({ behavior: "ignoreErrors" });
      await context.close();
      await server.close();
    },
  };
}

/** Writes a message and sends it from the keyboard. */
export async function say(page: Page, text: string): Promise<void> {
  await page.locator("#prompt").fill(text);
  await page.locator("#prompt").press("Enter");
}
