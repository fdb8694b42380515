import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { startVirtualDisplay } from "../../src/agent/computer/index.js";
import { startApplication } from "../support/desktop.js";

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

it("the computer of macOS and Windows works where it can be tried, on the X11 build of nut-js", async () => {
  const display = await startVirtualDisplay();
  try {
    const entry = await startApplication(display.env, "zenity", ["--entry"]);
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", file("../support/native-computer.ts")], { env: display.env });
    expect(JSON.parse(stdout)).toEqual({
      display: { id: "main", x: 0, y: 0, width: 640, height: 480, scale: 1 },
      widthPx: 640,
      heightPx: 480,
      opaque: true,
      cursor: { x: 100, y: 120 },
      refused: expect.stringContaining("pause") as string,
    });
    expect(await entry.ended()).toEqual({ code: 0, output: "Ab 日本 é😀\n" });
  } finally {
    await display.close();
  }
});
