import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openComputer, type Computer, type OpenedComputer } from "../../src/agent/computer/index.js";
import { NativeWindows } from "../../src/agent/computer/native-windows.js";
import type { Nut } from "../../src/agent/computer/nut.js";
import { geometryOf, startApplication, until, xdotool, type Application } from "../support/desktop.js";

const run = promisify(execFile);

let opened: OpenedComputer;
let computer: Computer;
beforeAll(async () => {
  opened = await openComputer({ display: "virtual" });
  ({ computer } = opened);
});
afterAll(() => opened.close());

/** A zenity dialog: a GTK window with a title of our choice. */
function dialog(title: string): Promise<Application> {
  return startApplication(opened.env, "zenity", ["--info", `--title=${title}`, "--text=Something to read"]);
}

async function middleOf(application: Application): Promise<{ x: number; y: number }> {
  const { x, y, width, height } = await geometryOf(opened.env, application.window);
  return { x: x + Math.floor(width / 2), y: y + Math.floor(height / 2) };
}

describe("windows on X", () => {
  it("are told by place and by focus, as the X server's own tools tell them", async () => {
    const application = await dialog("Grüße, 日本");
    try {
      const window = { id: application.window, applications: ["zenity", "Zenity"], title: "Grüße, 日本" };
      // An independent look at what the window says of itself.
      expect((await run("xprop", ["-id", application.window, "WM_CLASS"], { env: opened.env })).stdout).toContain('"zenity", "Zenity"');
      expect(await computer.windows!.at(await middleOf(application))).toEqual(window);
      expect(await computer.windows!.focused()).toEqual(window);
      // The frame, which is the window manager's, stands for what is in it.
      const { x, y } = await geometryOf(opened.env, application.window);
      expect(await computer.windows!.at({ x: x + 20, y: y - 5 })).toEqual(window);
    } finally {
      await application.kill();
    }
  });

  it("are not known where there is nothing but the desktop", async () => {
    expect(await computer.windows!.at({ x: 2, y: 470 })).toBeUndefined();
  });

  it("come to the front and get the keys when asked", async () => {
    const first = await dialog("First");
    try {
      const sealed = (await computer.windows!.focused())!;
      const second = await dialog("Second");
      try {
        expect((await computer.windows!.focused())!.title).toBe("Second");
        await computer.windows!.activate(sealed);
        await until("the first has the keys", async () => (await xdotool(opened.env, "getwindowfocus")) === first.window);
        expect(await computer.windows!.focused()).toEqual(sealed);
        expect((await computer.windows!.at(await middleOf(first)))!.title).toBe("First");
      } finally {
        await second.kill();
      }
    } finally {
      await first.kill();
    }
  });
});

describe("a hot key on X", () => {
  it("is heard whichever window has the keyboard, with Caps Lock on or off, and that window does not get it", async () => {
    let pressed = 0;
    const application = await startApplication(opened.env, "xev", ["-event", "keyboard"]);
    const watch = await computer.watchHotkey!(["ctrl+alt+esc"], () => (pressed += 1));
    try {
      await xdotool(opened.env, "key", "ctrl+alt+Escape");
      await until("it was heard", () => pressed === 1);
      await xdotool(opened.env, "key", "Caps_Lock");
      await xdotool(opened.env, "key", "ctrl+alt+Escape");
      await xdotool(opened.env, "key", "Caps_Lock");
      await until("it was heard again", () => pressed === 2);
      await xdotool(opened.env, "key", "alt+Escape", "Escape", "z");
      await until("the window has the last key", () => application.output().includes("keysym 0x7a, z"));
      expect(pressed).toBe(2);
      expect(application.output().match(/KeyPress[^]*?keysym 0xff1b, Escape/g)?.length).toBeGreaterThan(0);
    } finally {
      await watch[Symbol.asyncDispose]();
      await application.kill();
    }
    await xdotool(opened.env, "key", "ctrl+alt+Escape");
    await delay(100);
    expect(pressed).toBe(2);
  });

  it("is refused when another program has it, and when it is not one key", async () => {
    const watch = await computer.watchHotkey!(["ctrl+shift+f9"], () => undefined);
    await expect(computer.watchHotkey!(["ctrl+shift+f9"], () => undefined)).rejects.toMatchObject({ code: "display_unavailable", message: expect.stringContaining("another program") as string });
    await watch[Symbol.asyncDispose]();
    await expect(computer.watchHotkey!(["ctrl"], () => undefined)).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(computer.watchHotkey!(["a+b"], () => undefined)).rejects.toMatchObject({ code: "invalid_argument" });
  });
});

describe("windows of macOS and Windows", () => {
  /** nut-js' provider with two windows, one over the other; the back one's title is that of the task. */
  const titles = new Map([[7, "Front"], [8, "Back"]]);
  const focused: number[] = [];
  const provider = {
    getWindows: async () => [7, 8],
    getActiveWindow: async () => 7,
    getWindowTitle: async (handle: number) => titles.get(handle)!,
    getWindowRegion: async (handle: number) => ({ left: handle === 7 ? 100 : 0, top: 0, width: 200, height: 100 }),
    focusWindow: async (handle: number) => focused.push(handle) > 0,
  } as unknown as Nut["window"];
  const windows = new NativeWindows(provider);

  it("are the frontmost that hold the place, without applications", async () => {
    expect(await windows.at({ x: 150, y: 50 })).toEqual({ id: "7", applications: [], title: "Front" });
    expect(await windows.at({ x: 99, y: 50 })).toEqual({ id: "8", applications: [], title: "Back" });
    expect(await windows.at({ x: 300, y: 50 })).toBeUndefined();
    expect(await windows.focused()).toMatchObject({ title: "Front" });
    await windows.activate({ id: "8", applications: [], title: "Back" });
    expect(focused).toEqual([8]);
  });
});
