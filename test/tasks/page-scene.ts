import { fileURLToPath, pathToFileURL } from "node:url";
import type { AppWindow } from "./app-window.js";
import type { Scene } from "./scene.js";

const PAGE = pathToFileURL(fileURLToPath(new URL("applications/workbench.html", import.meta.url))).href;

/** The workbench as a page; the window stays open for the next one. */
export async function openPageScene({ page, show }: AppWindow): Promise<Scene> {
  await show(PAGE);
  return {
    ask: (command, given = {}) => page.evaluate(`workbench[${JSON.stringify(command)}](${JSON.stringify(given)})`),
    [Symbol.asyncDispose]: async () => void (await page.goto("about:blank")),
  };
}
