import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatRequest, TranscriptionEvent, TranscriptionRequest } from "../../src/engine/inference.js";
import { launchBrowser, openPage, say } from "./page-browser.js";
import { deferred, endlessText, PNG, scriptedApp, until } from "./support.js";

/** The chat page as a reader has it: in Chromium, with a server whose model speaks from a script. */
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const WEATHER = { name: "get_weather", arguments: '{"city": "Paris"}' };
/** The test's own time limit is the only one. */
const PATIENT = { timeout: 100_000 };
const PNG_BASE64 = PNG.toString("base64");

/** The bytes of each picture in the last message. */
function picturesOf(request: ChatRequest | undefined): Buffer[] {
  const content = request?.messages.at(-1)?.content;
  return (typeof content === "string" || !content ? [] : content).flatMap((part) => (part.type === "image" ? [Buffer.from(part.image as Uint8Array)] : []));
}

describe("an answer", () => {
  it("appears word by word while the model speaks, then says what it cost", async () => {
    const go = deferred();
    await using chat = await openPage(browser, [{ text: ["One ", "two ", "**three**."], beforeStep: (step) => (step === 2 ? go.promise : undefined), usage: { promptTokens: 1316, completionTokens: 3, cachedTokens: 40 }, timings: { decodeMs: 100 } }]);
    await say(chat.page, "Count");
    await chat.page.getByText("One two", { exact: true }).waitFor();
    expect(chat.engine.outcomes).toEqual([]);
    expect(await chat.page.locator("#thread").getAttribute("aria-busy")).toBe("true");
    go.resolve();
    await chat.page.locator(".assistant strong", { hasText: "three" }).waitFor();
    const stats = await chat.page.locator(".stats").textContent();
    expect(stats).toMatch(/^1,316 in \(40 cached\) · 3 out · 20\.0 tokens\/s · first after \d+\.\d\d s$/);
    expect(await chat.page.locator("#thread").getAttribute("aria-busy")).toBe("false");
    expect(chat.engine.requests[0]?.messages).toEqual([{ role: "user", content: "Count" }]);
    expect(chat.complaints).toEqual([]);
  });

  it("is stopped by the button and by Escape: the model stops too, and what came is kept", async () => {
    await using chat = await openPage(browser, () => ({ text: endlessText() }));
    for (const [index, stop] of [() => chat.page.getByRole("button", { name: "Stop" }).click(), () => chat.page.keyboard.press("Escape")].entries()) {
      await say(chat.page, "Go on");
      const answer = chat.page.locator(".assistant").nth(index);
      await answer.getByText("word word").waitFor();
      await stop();
      await answer.locator(".stats", { hasText: "stopped" }).waitFor();
      await until(() => chat.engine.outcomes.length === index + 1);
    }
    expect(chat.engine.outcomes).toEqual(["cancelled", "cancelled"]);
    // The next question takes it along.
    expect(chat.engine.requests[1]?.messages[1]).toMatchObject({ role: "assistant", content: expect.stringMatching(/^word word/) as string });
  });

  it("is asked for again by retry, and after a former message was edited", async () => {
    await using chat = await openPage(browser, (_request, index) => `answer ${index}`);
    await say(chat.page, "first");
    await chat.page.getByText("answer 0").waitFor();
    await say(chat.page, "second");
    await chat.page.getByText("answer 1").waitFor();
    await chat.page.getByRole("button", { name: "Try again" }).last().click();
    await chat.page.getByText("answer 2").waitFor();
    expect(await chat.page.evaluate("document.activeElement.id")).toBe("prompt");
    expect(await chat.page.getByText("answer 1").count()).toBe(0);
    await chat.page.locator(".user").first().hover();
    await chat.page.getByRole("button", { name: "Edit this message" }).first().click();
    await chat.page.locator(".editing textarea").fill("first, better");
    await chat.page.keyboard.press("Enter");
    await chat.page.getByText("answer 3").waitFor();
    expect(await chat.page.locator(".message").count()).toBe(2);
    expect(chat.engine.requests.map(({ messages }) => messages.map(({ content }) => content))).toEqual([["first"], ["first", "answer 0", "second"], ["first", "answer 0", "second"], ["first, better"]]);
  });

  it("survives a reload in its tab, and a new chat begins without it", async () => {
    await using chat = await openPage(browser, (_request, index) => `answer ${index}`);
    await say(chat.page, "hello");
    await chat.page.locator(".stats").waitFor();
    await chat.page.reload();
    await chat.page.getByText("answer 0").waitFor();
    await say(chat.page, "again");
    await chat.page.getByText("answer 1").waitFor();
    expect(chat.engine.requests[1]?.messages).toHaveLength(3);
    await chat.page.getByRole("button", { name: "New chat" }).click();
    expect(await chat.page.locator(".message").count()).toBe(0);
    await say(chat.page, "anew");
    await chat.page.getByText("answer 2").waitFor();
    expect(chat.engine.requests[2]?.messages).toEqual([{ role: "user", content: "anew" }]);
  });
});

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

describe("what a model writes", () => {
  it("is markdown, with code that can be copied", async () => {
    await using chat = await openPage(browser, ["# Title\n\n| a | b |\n|--|--:|\n| 1 | 2 |\n\n```js\nlet x = 1 < 2;\n```\n\n1. one\n   - inner\n- [x] done\n\nAT&amp;T [site](https://example.org/a?b=1&c=2)"], { permissions: ["clipboard-read", "clipboard-write"] });
    await say(chat.page, "Write");
    const answer = chat.page.locator(".markdown", { hasText: "AT&T" });
    await answer.waitFor();
    expect(await answer.locator("h2").textContent()).toBe("Title");
    expect(await answer.locator("td").allTextContents()).toEqual(["1", "2"]);
    expect(await answer.locator("ol > li ul > li").textContent()).toBe("inner");
    expect(await answer.getByRole("checkbox").isChecked()).toBe(true);
    expect(await answer.locator("a").getAttribute("href")).toBe("https://example.org/a?b=1&c=2");
    await answer.getByRole("button", { name: "Copy code" }).click();
    await chat.page.locator("#announcer", { hasText: "Copied" }).waitFor({ state: "attached" });
    expect(await chat.page.evaluate("navigator.clipboard.readText()")).toBe("let x = 1 < 2;");
  });

  it("stays text where it is HTML, and can neither run, load nor link to anything but the web", async () => {
    const attack = [
      "<img src=x onerror=\"document.title='pwned'\"> <script>document.title='pwned'</script>",
      "<iframe src=\"https://evil.example/\"></iframe>",
      "[a](javascript:document.title='pwned') [b](data:text/html,<script>1</script>) [c](vbscript:x) [d](  JaVaScRiPt:1) [e](//evil.example/x)",
      "![leak](https://evil.example/leak?secret) ![x](javascript:1)",
      "<a href=\"javascript:1\" style=\"position:fixed\">x</a> <svg onload=1>",
      "```html\n<img src=x onerror=1>\n```",
      "`<b>code</b>` <https://fine.example/> [\"onmouseover=\"1](https://fine.example/\"onmouseover=\"1)",
    ].join("\n\n");
    await using chat = await openPage(browser, [{ reasoning: attack, text: attack, toolCalls: [{ name: "<img src=x onerror=1>", arguments: '{"a": "<script>1</script>"}' }] }]);
    await say(chat.page, "<img src=x onerror=1> **not bold**");
    await chat.page.locator(".stats").waitFor();
    expect(await chat.page.title()).toBe("Deskhand");
    expect(await chat.page.locator("#thread :is(img, script, iframe, svg:not(.icon), style, object, embed, [style], [onerror], [onload], [onmouseover])").count()).toBe(0);
    expect(await chat.page.locator(".user strong").count()).toBe(0);
    const links = await chat.page.evaluate<string[][]>("[...document.querySelectorAll('#thread a')].map((link) => [link.protocol, link.rel, link.target])");
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) expect(link).toEqual(["https:", "noopener noreferrer nofollow", "_blank"]);
    expect(chat.asked.filter((url) => !url.startsWith(chat.server.url))).toEqual([]);
    expect(chat.complaints).toEqual([]);
  });

  it("does not run even if it got into the page as HTML: the policy forbids it", async () => {
    await using chat = await openPage(browser, []);
    await expect(chat.page.evaluate("document.body.innerHTML = '<b>x</b>'")).rejects.toThrow(/TrustedHTML/);
    await expect(chat.page.evaluate("document.body.setAttribute('onclick', '1')")).rejects.toThrow(/TrustedScript/);
    await chat.page.evaluate("document.body.append(Object.assign(new Image(), { src: 'https://evil.example/leak' }))");
    await until(() => chat.complaints.some((complaint) => complaint.includes("evil.example") && complaint.includes("Content Security Policy")));
  });
});

describe("calls and thinking", () => {
  it("are folded; a call shows its arguments, takes a result, and the model goes on with it", async () => {
    await using chat = await openPage(browser, [{ reasoning: "I need the weather.", toolCalls: [{ ...WEATHER, id: "call_9" }] }, "It is cloudy."]);
    const { page } = chat;
    await page.getByRole("button", { name: "Settings" }).click();
    await page.locator("#tools").fill('[{"name": }]');
    expect(await page.locator("#tools-problem").textContent()).toMatch(/^This is not JSON yet/);
    await page.locator("#tools").fill('[{"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]');
    await page.locator("#system-prompt").fill("Be brief.");
    await page.locator("#temperature").fill("0.5");
    await page.locator("#max-tokens").fill("99");
    await page.getByRole("button", { name: "Save" }).click();
    await say(page, "Weather in Paris?");
    await page.locator(".stats", { hasText: "waits for the result" }).waitFor();
    expect(await page.getByText("I need the weather.").isVisible()).toBe(false);
    await page.getByText("Thought", { exact: true }).click();
    expect(await page.getByText("I need the weather.").isVisible()).toBe(true);
    expect(await page.getByLabel("Arguments").isVisible()).toBe(false);
    await page.locator(".call summary", { hasText: "get_weather" }).click();
    expect(JSON.parse((await page.getByLabel("Arguments").textContent()) ?? "")).toEqual({ city: "Paris" });
    await page.getByLabel("Result of get_weather").fill('{"sky": "cloudy"}');
    await page.getByRole("button", { name: "Give result" }).click();
    await page.getByText("It is cloudy.").waitFor();
    expect(chat.engine.requests[0]).toMatchObject({ temperature: 0.5, maxTokens: 99, tools: [{ name: "get_weather", parameters: { type: "object" } }] });
    expect(chat.engine.requests[1]?.messages).toMatchObject([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Weather in Paris?" },
      { role: "assistant", toolCalls: [{ id: "call_9", ...WEATHER }] },
      { role: "tool", content: '{"sky": "cloudy"}' },
    ]);
  });
});

describe("the page", () => {
  it("works from the keyboard alone", async () => {
    const hold = deferred();
    await using chat = await openPage(browser, [{ text: ["Hello ", "there."] }, { text: ["Never", " ending"], beforeStep: (step) => (step === 1 ? hold.promise : undefined) }]);
    const { page } = chat;
    const focused = () => page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.id");
    expect(await focused()).toBe("Message");
    await page.keyboard.type("one");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("two");
    await page.keyboard.press("Enter");
    await page.getByText("Hello there.").waitFor();
    expect(chat.engine.requests[0]?.messages[0]?.content).toBe("one\ntwo");
    expect(await focused()).toBe("Message");
    await page.keyboard.type("more");
    await page.keyboard.press("Enter");
    await page.getByText("Never").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".stats", { hasText: "stopped" }).waitFor();
    hold.resolve();
    // Backwards through the page, each stop with a name.
    const stops: unknown[] = [];
    for (let index = 0; index < 9; index++) {
      await page.keyboard.press("Shift+Tab");
      stops.push(await focused());
    }
    expect(stops).toEqual(["Try again", "Copy the answer", "Edit this message", "Try again", "Copy the answer", "Edit this message", "Settings", "Switch between light and dark", "New chat"]);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("dialog", { name: "Settings" }).isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    await expect.poll(focused, PATIENT).toBe("Message");
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  it("fits a phone: nothing is wider than 360 pixels, whatever is said", async () => {
    const wide = `${"w".repeat(300)}\n\n| ${"column | ".repeat(20)}\n|${"--|".repeat(20)}\n| ${"value | ".repeat(20)}\n\n\`\`\`\n${"code ".repeat(100)}\n\`\`\`\n\nhttps://example.org/${"path".repeat(60)}`;
    await using chat = await openPage(browser, [{ reasoning: wide, text: wide, toolCalls: [{ name: `f${"x".repeat(60)}`, arguments: JSON.stringify({ text: "y".repeat(300) }) }] }], { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, engine: { info: { id: `owner/${"long-name-".repeat(12)}` } } });
    const { page } = chat;
    await page.locator("#file").setInputFiles(Array.from({ length: 6 }, (_, index) => ({ name: `${index}.png`, mimeType: "image/png", buffer: PNG })));
    await page.locator("#prompt").fill("u".repeat(400));
    // There is no Shift+Enter here: Enter begins a new line.
    await page.locator("#prompt").press("Enter");
    expect(await page.locator("#prompt").inputValue()).toBe(`${"u".repeat(400)}\n`);
    await page.getByRole("button", { name: "Send" }).tap();
    await page.locator(".stats").waitFor();
    await page.getByText("Thought", { exact: true }).tap();
    await page.locator(".call summary").tap();
    expect(await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")).toEqual([360, 360]);
    for (const name of ["Add pictures", "Take a picture", "Send", "New chat", "Settings"]) {
      const box = await page.getByRole("button", { name }).boundingBox();
      expect(box!.x + box!.width).toBeLessThanOrEqual(360);
      expect(Math.min(box!.width, box!.height)).toBeGreaterThanOrEqual(40);
    }
    await page.getByRole("button", { name: "Settings" }).tap();
    expect(await page.evaluate("document.getElementById('settings').scrollWidth <= document.getElementById('settings').clientWidth")).toBe(true);
  });

  it("asks the model that was chosen, also after a reload, and says what to do when it is not there", async () => {
    await using chat = await openPage(browser, ["Here."]);
    const { page } = chat;
    await page.route("**/v1/models", async (route) => {
      const list = (await (await route.fetch()).json()) as { data: object[] };
      const others = [{ id: "owner/other", state: "cached", loadable: true }, { id: "owner/far", state: "available", loadable: false }];
      await route.fulfill({ json: { ...list, data: [...list.data, ...others.map((model) => ({ ...model, aliases: [] }))] } });
    });
    await page.reload();
    await page.locator("#model").selectOption("owner/other");
    expect(await page.locator("#model option").allTextContents()).toEqual(["scripted", "other"]);
    await page.reload();
    await page.locator("#model option").first().waitFor({ state: "attached" });
    expect(await page.locator("#model").inputValue()).toBe("owner/other");
    const asked = page.waitForRequest("**/v1/chat/completions");
    await say(page, "hello");
    expect((await asked).postDataJSON()).toMatchObject({ model: "owner/other", stream: true });
    await page.locator(".problem", { hasText: "Choose another model above." }).waitFor();
    await page.locator("#model").selectOption("scripted");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Here.").waitFor();
  });

  it("is dark where the system is, and can be switched", async () => {
    await using chat = await openPage(browser, [], { colorScheme: "dark" });
    const { page } = chat;
    const brightness = async () => {
      const colour = await page.evaluate<string>("getComputedStyle(document.documentElement).backgroundColor");
      return Math.max(...colour.match(/\d+/g)!.map(Number));
    };
    expect(await brightness()).toBeLessThan(60);
    await page.getByRole("button", { name: "Switch between light and dark" }).click();
    expect(await brightness()).toBeGreaterThan(200);
    await page.reload();
    expect(await brightness()).toBeGreaterThan(200);
    await page.getByRole("button", { name: "Switch between light and dark" }).click();
    expect(await brightness()).toBeLessThan(60);
    await page.emulateMedia({ colorScheme: "light" });
    await expect.poll(brightness, PATIENT).toBeGreaterThan(200);
  });

  it("asks for the key where the server has one, and keeps it in the tab only", async () => {
    await using chat = await openPage(browser, ["Welcome."], { apiKey: "sk-secret" });
    const { page } = chat;
    await page.locator("#server-state", { hasText: "This server has a key. Put the key it was started with into the settings." }).waitFor();
    await say(page, "hello");
    await page.getByRole("alert").getByText("This server has a key.").waitFor();
    await page.getByRole("button", { name: "Open settings" }).click();
    await page.locator("#api-key").fill("sk-secret");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Welcome.").waitFor();
    expect(await page.locator("#model").inputValue()).toBe("scripted");
    expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain("sk-secret");
    expect(await page.evaluate("JSON.stringify(sessionStorage)")).toContain("sk-secret");
  });

  it("says what to do when the server is gone, refuses, or fails in mid-stream", async () => {
    await using chat = await openPage(browser, [{ text: ["Half ", "an answer"], error: new Error("boom"), failAtStep: 1 }]);
    const { page } = chat;
    await say(page, "hello");
    await page.locator(".problem", { hasText: "What came until then is kept. Try again." }).waitFor();
    expect(await page.locator(".assistant .markdown").last().textContent()).toBe("Half ");
    await page.route("**/v1/chat/completions", (route) => route.fulfill({ status: 400, json: { error: { message: "Too long.", code: "context_length_exceeded" } } }));
    await page.getByRole("button", { name: "Try again" }).first().click();
    await page.locator(".problem", { hasText: "Too long. Begin a new chat" }).waitFor();
    await page.unroute("**/v1/chat/completions");
    await chat.server.close();
    await page.getByRole("button", { name: "Try again" }).first().click();
    await page.locator(".problem", { hasText: "The server does not answer. See whether it still runs" }).waitFor();
  });

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

describe("the page's files", () => {
  it("are kept by browsers for as long as they are the same, and come with the policy", async () => {
    await using server = await scriptedApp([]);
    const page = await server.app.inject("/");
    expect(page.headers).toMatchObject({ "content-type": "text/html; charset=utf-8", "cache-control": "no-cache", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
    expect(page.headers["content-security-policy"]).not.toMatch(/unsafe|http:|https:|\*/);
    expect(page.body).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|https?:/);
    expect((await server.app.inject({ url: "/", headers: { "if-none-match": page.headers.etag! } })).statusCode).toBe(304);
    const named = [...page.body.matchAll(/(?:src|href)="(page\/[^"]+)"/g)].map(([, path]) => `/${path}`);
    expect(named.length).toBeGreaterThan(15);
    for (const path of new Set(named)) {
      const file = await server.app.inject(path);
      expect([path, file.statusCode, file.headers["cache-control"]]).toEqual([path, 200, "public, max-age=31536000, immutable"]);
    }
    const [first = ""] = named;
    for (const path of [first.replace(/page\/\w+/, "page/0000000000000000"), first.replace(/[^/]+$/, "..%2f..%2f..%2fpackage.json"), first.replace(/[^/]+$/, "index.html"), first.replace(/[^/]+$/, "tsconfig.json")]) {
      expect([path, (await server.app.inject(path)).statusCode]).toEqual([path, 404]);
    }
  });
});
