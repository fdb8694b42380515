// Writes docs/chat.png: the chat page as it looks when the embedded model answers. `npm run docs:chat` runs it.
import { readFile, writeFile } from "node:fs/promises";
import sharp from "sharp";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { serve } from "../../src/server/start.js";
import { WEATHER_FUNCTION } from "../../src/tools/weather-formats.js";
import { launchBrowser, say } from "./page-browser.js";
import { ENGINE_PROGRAM } from "./support.js";

const SCREEN = new URL("../golden/fixtures/embedded/screens/zenity-filled.png", import.meta.url);
const PICTURE = new URL("../../docs/chat.png", import.meta.url);
const SIZE = { width: 1180, height: 940 };
/** Enough for a page of flat colours, and a fifth of the bytes. */
const COLOURS = 128;

await using server = await serve({ engine: new ProcessEngine("tiny", { program: ENGINE_PROGRAM }), port: 0 });
const browser = await launchBrowser();
try {
  const page = await browser.newPage({ viewport: SIZE, colorScheme: "light" });
  await page.goto(server.url);
  await page.locator("#model option").first().waitFor({ state: "attached" });
  await page.locator("#open-settings").click();
  await page.locator("#tools").fill(JSON.stringify([WEATHER_FUNCTION]));
  await page.locator("#temperature").fill("0");
  await page.getByRole("button", { name: "Save" }).click();

  await say(page, "What is the weather in Paris?");
  await page.locator(".call summary").click();
  await page.getByLabel("Result of get_weather").fill('{"temperature": 17, "unit": "C", "condition": "cloudy"}');
  await page.getByRole("button", { name: "Give result" }).click();
  await page.locator(".stats").nth(1).waitFor();
  await page.locator(".call summary").click();

  // The embedded model has not learnt to go from functions to pictures in one conversation.
  await page.locator("#file").setInputFiles({ name: "screen.png", mimeType: "image/png", buffer: await sharp(await readFile(SCREEN)).png().toBuffer() });
  await page.locator("#prompt").fill("What does the Email field contain?");
  await page.mouse.move(0, 0);
  await writeFile(PICTURE, await sharp(await page.screenshot()).png({ palette: true, colours: COLOURS, compressionLevel: 9, effort: 10 }).toBuffer());
} finally {
  await browser.close();
}
