import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { openComputer, settle, startVirtualDisplay, type Computer, type OpenedComputer } from "../../src/agent/computer/index.js";
import { captureByProgram } from "../../src/agent/computer/screenshot-desktop.js";
import { X11Computer } from "../../src/agent/computer/x11-computer.js";
import { X11Connection } from "../../src/agent/computer/x11-connection.js";
import { geometryOf, startApplication, until, xdotool, type Application } from "../support/desktop.js";

const run = promisify(execFile);

let opened: OpenedComputer;
let computer: Computer;
beforeAll(async () => {
  opened = await openComputer({ display: "virtual" });
  ({ computer } = opened);
});
afterAll(async () => {
  await opened.close();
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function withApplication<T>(command: string, args: string[], use: (application: Application) => Promise<T>): Promise<T> {
  const application = await startApplication(opened.env, command, args);
  try {
    return await use(application);
  } finally {
    await application.kill();
  }
}

/** What xev, the X event viewer, sees of one action: `press 1`, `release 1`, or keysym names. */
async function eventsOf(action: () => Promise<void>, expected: number): Promise<string[]> {
  return withApplication("xev", ["-event", "button", "-event", "keyboard", "-geometry", "300x300"], async (xev) => {
    const { x, y, width, height } = await geometryOf(opened.env, xev.window);
    await computer.move({ x: x + width / 2, y: y + height / 2 });
    await action();
    const events = (): string[] =>
      [...xev.output().matchAll(/(Button|Key)(Press|Release) event[\s\S]*?(?:button (\d+)|keysym 0x[0-9a-f]+, (\w+)\))/g)].map(([, , what, button, keysym]) => `${what?.toLowerCase()} ${button ?? keysym}`);
    await until(`xev has seen ${expected} events, not ${events().join(", ")}`, () => events().length >= expected);
    return events();
  });
}

describe("the mouse", () => {
  it("moves to the pixel, and says where it is", async () => {
    for (const point of [{ x: 0, y: 0 }, { x: 639, y: 479 }, { x: 123, y: 321 }]) {
      await computer.move(point);
      expect(await computer.cursor()).toEqual(point);
      expect(await xdotool(opened.env, "getmouselocation")).toContain(`x:${point.x} y:${point.y} `);
    }
    await computer.move({ x: 10.6, y: 20.4 });
    expect(await computer.cursor()).toEqual({ x: 11, y: 20 });
  });

  it.each([
    ["left", ["press 1", "release 1"]],
    ["middle", ["press 2", "release 2"]],
    ["right", ["press 3", "release 3"]],
    ["back", ["press 8", "release 8"]],
    ["forward", ["press 9", "release 9"]],
  ] as const)("clicks the %s button", async (button, events) => {
    expect(await eventsOf(() => computer.click(button, 1), 2)).toEqual(events);
  });

  it.each([
    ["up", 2, 0, 4],
    ["down", -2, 0, 5],
    ["left", 0, 2, 6],
    ["right", 0, -2, 7],
  ])("scrolls %s by one wheel click a unit", async (_name, up, left, button) => {
    const click = [`press ${button}`, `release ${button}`];
    expect(await eventsOf(() => computer.scroll(up, left), 4)).toEqual([...click, ...click]);
  });

  it("double-clicks: a list takes the row", async () => {
    await withApplication("zenity", ["--list", "--column=Fruit", "apple", "pear", "plum"], async (list) => {
      await settle(computer);
      const { x, y } = await geometryOf(opened.env, list.window);
      // The second row, below the dialog's text, the column's heading and the first.
      await computer.move({ x: x + 60, y: y + 96 });
      await computer.click("left", 2);
      const { code, output } = await list.ended();
      expect(code).toBe(0);
      expect(output).toBe("pear\n");
    });
  });

  it("triple-clicks: an entry selects its whole text", async () => {
    await withApplication("zenity", ["--entry", "--entry-text=one two three"], async (entry) => {
      await computer.chord(["End"]);
      await settle(computer);
      const { x, y } = await geometryOf(opened.env, entry.window);
      await computer.move({ x: x + 40, y: y + 53 });
      await computer.click("left", 3);
      await computer.type("X\n");
      expect((await entry.ended()).output).toBe("X\n");
    });
  });

  it("drags: text is selected from where the button went down", async () => {
    await withApplication("zenity", ["--entry", "--entry-text=aaaaaaaaaa", "--width=400"], async (entry) => {
      await computer.chord(["End"]);
      await settle(computer);
      const { x, y } = await geometryOf(opened.env, entry.window);
      await computer.move({ x: x + 370, y: y + 53 });
      await computer.press("left");
      await computer.move({ x: x + 15, y: y + 53 });
      await computer.release("left");
      await computer.type("b\n");
      expect((await entry.ended()).output).toBe("b\n");
    });
  });

  it("lets go of a button with releaseAll, as often as it is called", async () => {
    const events = await eventsOf(async () => {
      await computer.press("left");
      await computer.press("right");
      await computer.releaseAll();
      await computer.releaseAll();
    }, 4);
    expect(events).toEqual(["press 1", "press 3", "release 3", "release 1"]);
  });
});

describe("keys", () => {
  it.each([
    [["ctrl", "a"], ["press Control_L", "press a", "release a", "release Control_L"]],
    [["ctrl", "shift", "Page_Up"], ["press Control_L", "press Shift_L", "press Prior", "release Prior", "release Shift_L", "release Control_L"]],
    [["super"], ["press Super_L", "release Super_L"]],
    [["F24"], ["press F24", "release F24"]],
    [["pause"], ["press Pause", "release Pause"]],
    [["volumeup"], ["press XF86AudioRaiseVolume", "release XF86AudioRaiseVolume"]],
    [["KP_5"], ["press KP_5", "release KP_5"]],
    [["ctrl", "+"], ["press Control_L", "press Shift_L", "press plus", "release plus", "release Shift_L", "release Control_L"]],
    [["alt", "é"], ["press Alt_L", "press eacute", "release eacute", "release Alt_L"]],
    [["A"], ["press Shift_L", "press A", "release A", "release Shift_L"]],
  ])("%j", async (keys, events) => {
    expect(await eventsOf(() => computer.chord(keys), events.length)).toEqual(events);
  });

  it("reach an application: select all, cut, paste twice", async () => {
    await withApplication("zenity", ["--entry", "--entry-text=ab"], async (entry) => {
      for (const keys of [["ctrl", "a"], ["ctrl", "x"], ["ctrl", "v"], ["ctrl", "v"], ["enter"]]) await computer.chord(keys);
      expect((await entry.ended()).output).toBe("abab\n");
    });
  });

  it("stay down until they are let go, in reverse, and once only", async () => {
    const events = await eventsOf(async () => {
      await computer.keyDown(["ctrl", "shift"]);
      await computer.keyDown(["Control_L"]);
      await computer.click("left", 1);
      await computer.chord(["ctrl", "b"]);
      await computer.keyUp(["ctrl", "shift"]);
      await computer.keyUp(["ctrl"]);
    }, 8);
    expect(events).toEqual(["press Control_L", "press Shift_L", "press 1", "release 1", "press B", "release B", "release Shift_L", "release Control_L"]);
  });

  it("are let go by releaseAll", async () => {
    const events = await eventsOf(async () => {
      await computer.keyDown(["shift", "é"]);
      await computer.releaseAll();
      await computer.keyUp(["shift"]);
      await computer.chord(["b"]);
    }, 6);
    expect(events).toEqual(["press Shift_L", "press eacute", "release eacute", "release Shift_L", "press b", "release b"]);
  });

  it("are refused before anything is pressed when one is unknown", async () => {
    await expect(computer.chord(["ctrl", "entre"])).rejects.toMatchObject({ code: "invalid_argument" });
    expect(await eventsOf(() => computer.chord(["b"]), 2)).toEqual(["press b", "release b"]);
  });
});

describe("pictures", () => {
  it("equal ImageMagick's of the same screen, to the last pixel", async () => {
    await withApplication("zenity", ["--forms", "--add-entry=First name", "--add-entry=Email"], async () => {
      // Without a caret: none blinks in a button.
      await computer.chord(["shift", "tab"]);
      const { frame } = await settle(computer);
      const { stdout } = await run("import", ["-silent", "-window", "root", "-depth", "8", "rgba:-"], { env: opened.env, encoding: "buffer", maxBuffer: 1 << 24 });
      expect([frame.widthPx, frame.heightPx]).toEqual([640, 480]);
      expect(Buffer.compare(frame.data, stdout)).toBe(0);
    });
  });

  it("are the same from another program, the way out where the server shows nothing", async () => {
    vi.stubEnv("DISPLAY", opened.displayName);
    const [{ frame: ours }, theirs] = [await settle(computer), await captureByProgram()];
    expect([theirs.widthPx, theirs.heightPx]).toEqual([ours.widthPx, ours.heightPx]);
    expect(Buffer.compare(ours.data, theirs.data)).toBe(0);
  });

  it("show one monitor of a larger desktop, where clicks land by desktop position", async () => {
    const wide = await startVirtualDisplay({ widthPx: 800, heightPx: 300 });
    const right = new X11Computer(await X11Connection.open(wide.display), { id: "right", x: 500, y: 100, width: 300, height: 200, scale: 1 });
    try {
      const dialog = await startApplication(wide.env, "zenity", ["--question"]);
      await xdotool(wide.env, "windowmove", dialog.window, "520", "120");
      const { frame } = await settle(right);
      const whole = await run("import", ["-silent", "-window", "root", "png:-"], { env: wide.env, encoding: "buffer", maxBuffer: 1 << 24 });
      const part = await sharp(whole.stdout).extract({ left: 500, top: 100, width: 300, height: 200 }).ensureAlpha().raw().toBuffer();
      expect(Buffer.compare(frame.data, part)).toBe(0);
      const { x, y, width, height } = await geometryOf(wide.env, dialog.window);
      // The right button of two, at the bottom: Yes.
      await right.move({ x: x + width - 50, y: y + height - 25 });
      await right.click("left", 1);
      expect((await dialog.ended()).code).toBe(0);
    } finally {
      await right.close();
      await wide.close();
    }
  });
});

it("says that the display is gone instead of hanging", async () => {
  const display = await startVirtualDisplay();
  const orphan = await X11Connection.open(display.display).then((connection) => new X11Computer(connection, { id: "x", x: 0, y: 0, width: 640, height: 480, scale: 1 }));
  await display.close();
  for (const attempt of [() => orphan.capture(), () => orphan.type("a"), () => orphan.click("left", 1)]) await expect(attempt()).rejects.toMatchObject({ code: "display_unavailable" });
  await orphan.close();
});

it("works on the display that DISPLAY names, and keeps it when it closes", async () => {
  vi.stubEnv("DISPLAY", opened.displayName);
  const current = await openComputer({ display: "current" });
  expect(await current.computer.display()).toMatchObject({ x: 0, y: 0, width: 640, height: 480, scale: 1 });
  await current.computer.move({ x: 5, y: 6 });
  await current.close();
  await current.close();
  expect(await computer.cursor()).toEqual({ x: 5, y: 6 });
  await expect(openComputer({ display: "current", monitor: "HDMI-7" })).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringContaining("screen") as string });
});

it("does not refuse a display that is truly black", async () => {
  // Without a window manager, a background and windows it is black for every program.
  const bare = spawn("Xvfb", ["-displayfd", "1", "-screen", "0", "320x200x24", "-nolisten", "tcp", "-noreset"], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const [number] = (await once(bare.stdout.setEncoding("utf8"), "data")) as [string];
    vi.stubEnv("DISPLAY", `:${number.trim()}`);
    const current = await openComputer({ display: "current" });
    const { data } = await current.computer.capture();
    expect(new Set(data)).toEqual(new Set([0, 255]));
    await current.close();
  } finally {
    bare.kill();
    await once(bare, "exit");
  }
});
