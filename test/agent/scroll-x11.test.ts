import { chromium } from "playwright-core";
import { expect, it } from "vitest";
import { which } from "../../scripts/setup/run.js";
import { perform } from "../../src/agent/act.js";
import { Action, type ActionInput } from "../../src/agent/actions.js";
import { openComputer } from "../../src/agent/computer/index.js";
import { until } from "../support/desktop.js";

/** Wide and high, so that there is something in every direction; it notes the modifiers that wheel events came with. */
const PAGE = `<body style="margin:0;width:9000px;height:9000px"><script>
  window.modifiers = []; addEventListener("mousemove", () => (window.reached = true)); addEventListener("wheel", (event) => modifiers.push([event.shiftKey, event.ctrlKey])); scrollTo(4000, 4000);
</script></body>`;

it("scrolling moves a browser's page in the direction asked for, by as much each way, and with the keys that are held", async () => {
  const opened = await openComputer({ display: "virtual", widthPx: 800, heightPx: 600 });
  const { computer, env } = opened;
  const browser = await chromium.launch({ executablePath: which("chromium"), headless: false, env: env, args: ["--no-sandbox", "--disable-smooth-scrolling", "--window-position=0,0", "--window-size=800,600"] });
  try {
    const page = await browser.newPage({ viewport: null });
    await page.setContent(PAGE);
    let x = 300;
    // A browser that has just opened drops events until it has drawn its page.
    await until("the page sees the pointer", async () => {
      await computer.move({ x: (x += 1), y: 300 });
      return page.evaluate<boolean>("window.reached === true");
    });
    const place = () => page.evaluate<[number, number]>("[scrollX, scrollY]");
    const scrolled = async (action: Omit<Extract<ActionInput, { type: "scroll" }>, "type" | "at">): Promise<[number, number]> => {
      const before = await place();
      await perform(computer, Action.parse({ type: "scroll", at: { x: 400, y: 400 }, ...action }), new AbortController().signal);
      await until("the page has moved", async () => (await place()).join() !== before.join());
      const after = await place();
      return [after[0] - before[0], after[1] - before[1]];
    };
    const [, click] = await scrolled({ up: -1 });
    expect(click).toBeGreaterThan(0);
    expect(await scrolled({ up: 1 })).toEqual([0, -click]);
    expect(await scrolled({ left: 1 })).toEqual([-click, 0]);
    expect(await scrolled({ left: -1 })).toEqual([click, 0]);
    expect(await page.evaluate("modifiers.flat().some(Boolean)")).toBe(false);
    // A browser scrolls sideways while Shift is held.
    expect(await scrolled({ up: -1, held: ["shift"] })).toEqual([click, 0]);
    expect(await page.evaluate("modifiers.at(-1)")).toEqual([true, false]);
    expect(await place()).toEqual([4000 + click, 4000]);
  } finally {
    await browser.close();
    await opened.close();
  }
});
