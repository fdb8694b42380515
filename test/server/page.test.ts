import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
    // As fast as models are: what pours out without a pause leaves a browser on a busy machine no time for clicks.
    await using chat = await openPage(browser, () => ({ text: endlessText(), beforeStep: () => sleep(5) }));
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
    await expect.poll(() => page.locator("#model").inputValue()).toBe("scripted");
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
