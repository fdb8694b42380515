import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatRequest, TranscriptionEvent, TranscriptionRequest } from "../../src/engine/inference.js";
import { launchBrowser, openPage, say } from "./page-browser.js";
import { PNG } from "./support.js";

/** What is put into the chat page beside words: pictures and speech. */
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** The test's own time limit is the only one. */
const PATIENT = { timeout: 100_000 };
const PNG_BASE64 = PNG.toString("base64");

/** The bytes of each picture in the last message. */
function picturesOf(request: ChatRequest | undefined): Buffer[] {
  const content = request?.messages.at(-1)?.content;
  return (typeof content === "string" || !content ? [] : content).flatMap((part) => (part.type === "image" ? [Buffer.from(part.image as Uint8Array)] : []));
}

describe("pictures", () => {
  const transfer = `(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob("${PNG_BASE64}"), (char) => char.charCodeAt(0))], "dot.png", { type: "image/png" }));
    return transfer;
  })()`;

  it("come in by file, drop and paste, can be taken out, and reach the model byte for byte", async () => {
    await using chat = await openPage(browser, () => "A dot.");
    const { page } = chat;
    await page.locator("#file").setInputFiles([{ name: "first.png", mimeType: "image/png", buffer: PNG }, { name: "second.png", mimeType: "image/png", buffer: PNG }]);
    await page.getByRole("button", { name: "Remove second.png" }).click();
    await page.evaluate(`document.body.dispatchEvent(new DragEvent("dragover", { bubbles: true, cancelable: true, dataTransfer: ${transfer} }))`);
    expect(await page.locator("#drop").isVisible()).toBe(true);
    await page.evaluate(`document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: ${transfer} }))`);
    expect(await page.locator("#drop").isVisible()).toBe(false);
    await page.evaluate(`document.getElementById("prompt").dispatchEvent(new ClipboardEvent("paste", { bubbles: true, clipboardData: ${transfer} }))`);
    await page.locator(".attached li").nth(2).waitFor();
    await say(page, "What is this?");
    await page.getByText("A dot.").waitFor();
    expect(picturesOf(chat.engine.requests[0])).toEqual([PNG, PNG, PNG]);
    expect(await page.locator(".user img").count()).toBe(3);
    expect(await page.locator(".attached li").count()).toBe(0);
    expect(chat.complaints).toEqual([]);
  });

  it("come from the camera; without leave to use it the page says what to do", async () => {
    await using chat = await openPage(browser, () => "A face.", { permissions: ["camera"] });
    await chat.page.getByRole("button", { name: "Take a picture" }).click();
    await expect.poll(() => chat.page.evaluate('document.getElementById("camera-video").videoWidth'), PATIENT).toBeGreaterThan(0);
    await chat.page.locator("#camera").getByRole("button", { name: "Take picture" }).click();
    await chat.page.getByRole("img", { name: "camera.jpg" }).waitFor();
    await chat.page.locator("#send").click();
    await chat.page.getByText("A face.").waitFor();
    expect(picturesOf(chat.engine.requests[0])[0]?.subarray(0, 3).toString("hex")).toBe("ffd8ff");

    await using denied = await openPage(browser, [], { permissions: [] });
    await denied.page.getByRole("button", { name: "Take a picture" }).click();
    await denied.page.locator("#notice", { hasText: "not allowed to use the camera. Allow it in the address bar" }).waitFor();
  });

  it("that are none are named", async () => {
    await using chat = await openPage(browser, []);
    await chat.page.locator("#file").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
    await chat.page.locator("#notice", { hasText: "notes.txt is no picture that this browser can read. Take PNG" }).waitFor();
  });
});

describe("speech", () => {
  it("speaks to a model that hears, where one is served, and says why not elsewhere", async () => {
    await using deaf = await openPage(browser, []);
    const microphone = deaf.page.getByRole("button", { name: /^Speak/ });
    expect(await microphone.isDisabled()).toBe(true);
    expect(await microphone.getAttribute("title")).toMatch(/no model that hears is served/);

    const sounds: Buffer[] = [];
    async function* hear({ sound }: TranscriptionRequest): AsyncGenerator<TranscriptionEvent> {
      sounds.push(Buffer.from(sound));
      yield { type: "transcript", transcript: { text: " Hello there. ", language: "en", durationS: 1, segments: [] } };
    }
    await using chat = await openPage(browser, [], { permissions: ["microphone"], engine: { info: { tasks: ["generate", "transcribe"] }, hear } });
    const { page } = chat;
    await page.route("**/v1/models", async (route) => {
      const list = (await (await route.fetch()).json()) as { data: object[] };
      await route.fulfill({ json: { ...list, data: [...list.data, { id: "openai/whisper-tiny", state: "cached", loadable: true, aliases: [], model_type: "whisper" }] } });
    });
    await page.reload();
    await page.locator("#microphone:enabled").waitFor();
    // What only hears is nothing to chat with.
    expect(await page.locator("#model option").allTextContents()).toEqual(["scripted"]);
    const speak = page.getByRole("button", { name: "Speak" });
    await speak.click();
    await page.locator("#microphone[aria-pressed=true]").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#microphone[aria-pressed=false]").waitFor();
    await page.locator("#prompt").fill("He said:");
    await speak.click();
    await page.locator("#microphone[aria-pressed=true]").waitFor();
    // The browser's own microphone beeps once a second.
    await page.waitForTimeout(1200);
    await speak.click();
    await expect.poll(() => page.locator("#prompt").inputValue(), PATIENT).toBe("He said: Hello there.");
    expect(sounds).toHaveLength(1);
    const wave = sounds[0]!;
    expect({ format: wave.toString("latin1", 8, 16), channels: wave.readUInt16LE(22), rate: wave.readUInt32LE(24), bits: wave.readUInt16LE(34) }).toEqual({ format: "WAVEfmt ", channels: 1, rate: 16_000, bits: 16 });
    const samples = new Int16Array(wave.buffer.slice(wave.byteOffset + 44, wave.byteOffset + 44 + Math.floor(wave.readUInt32LE(40) / 2) * 2));
    expect(samples.length).toBeGreaterThan(16_000 / 2);
    expect(Math.max(...samples)).toBeGreaterThan(1_000);
  });
});
