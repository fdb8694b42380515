import { chromium, type Page } from "playwright-core";
import { which } from "../../scripts/setup/run.js";
import type { OpenedComputer } from "../../src/agent/computer/index.js";
import { until } from "../support/desktop.js";

export interface AppWindow extends AsyncDisposable {
  page: Page;
  /** Shows this address, and waits until the page sees the mouse and has the keyboard. */
  show: (url: string) => Promise<void>;
}

/** A Chromium that fills the display with one page, so that the page's pixels are the screen's. It is only read through its own protocol: mouse and keys come from the X server. */
export async function openAppWindow({ computer, env }: OpenedComputer): Promise<AppWindow> {
  const { width, height } = await computer.display();
  const context = await chromium.launchPersistentContext("", {
    executablePath: which("chromium"),
    headless: false,
    viewport: null,
    env,
    args: ["--no-sandbox", "--kiosk", "--app=data:text/html,<title>empty</title>", "--force-device-scale-factor=1", "--disable-smooth-scrolling", "--disable-gpu", "--password-store=basic", "--disable-features=Translate"],
  });
  const [page] = context.pages();
  if (!page) throw new Error("Expected Chromium to show a page but it shows none.");
  let x = 0;
  return {
    page,
    async show(url) {
      await page.goto(url);
      await page.evaluate(`addEventListener("mousemove", ({ clientX, clientY }) => (window.seenAt = [clientX, clientY].join()), true)`);
      // A browser that has just opened drops events until it has drawn its page.
      await until("the page fills the screen, sees the mouse and has the keyboard", async () => {
        x = (x + 1) % 50;
        await computer.move({ x: width - 60 + x, y: height - 8 });
        return page.evaluate<boolean>(`innerWidth === ${width} && innerHeight === ${height} && window.seenAt === "${width - 60 + x},${height - 8}" && document.hasFocus()`);
      }, 20_000);
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}
