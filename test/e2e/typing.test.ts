import { execFile } from "node:child_process";
import { promisify } from "node:util";
import x11, { type XDisplay, type Xkb } from "x11";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openComputer, settle, type OpenedComputer } from "../../src/agent/computer/index.js";
import { startApplication, xdotool } from "../support/desktop.js";

const run = promisify(execFile);

const HARD = `  héllo wörld 日本 😀 A!@#$%^&*()_+{}|:"<>?~ \\ '"\` x  y  `;

let opened: OpenedComputer;
beforeAll(async () => {
  opened = await openComputer({ display: "virtual" });
});
afterAll(async () => {
  await opened.close();
});

const layout = (...args: string[]): Promise<unknown> => run("setxkbmap", args, { env: opened.env });
const capsLock = async (): Promise<boolean> => /Caps Lock:\s+on/.test((await run("xset", ["q"], { env: opened.env })).stdout);

/** What a GTK entry holds after `text` was typed into it, as the application prints it. */
async function typedIntoEntry(text: string): Promise<string> {
  const entry = await startApplication(opened.env, "zenity", ["--entry"]);
  try {
    await opened.computer.type(`${text}\n`);
    const { code, output } = await entry.ended();
    expect(code).toBe(0);
    return output.slice(0, -1);
  } finally {
    await entry.kill();
  }
}

/** The same for a text view, which takes line feeds and tabs as well. */
async function typedIntoTextView(text: string): Promise<string> {
  const view = await startApplication(opened.env, "zenity", ["--text-info", "--editable"]);
  try {
    await opened.computer.type(text);
    // Out of the text, which takes a plain Tab for itself, over Cancel to OK.
    for (const keys of [["ctrl", "tab"], ["tab"], ["enter"]]) await opened.computer.chord(keys);
    const { code, output } = await view.ended();
    expect(code).toBe(0);
    return output;
  } finally {
    await view.kill();
  }
}

describe("typed text reaches a GTK application exactly", () => {
  it("on the US layout, 20 times in a row", async () => {
    for (let i = 0; i < 20; i++) expect(await typedIntoEntry(HARD)).toBe(HARD);
  });

  it("500 mixed characters, more different ones than there are unused keycodes", async () => {
    // A repeatable mix of ASCII, Latin, Greek, Cyrillic, Han and emoji.
    let state = 42;
    const next = (n: number): number => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
    const ranges = [[0x21, 94], [0xc0, 23], [0x100, 128], [0x3b1, 17], [0x410, 64], [0x4e00, 2000], [0x1f600, 64]] as const;
    const text = Array.from({ length: 500 }, (_, i) => {
      const [first, count] = ranges[next(ranges.length)] ?? [0x61, 26];
      return i % 7 === 6 ? " " : String.fromCodePoint(first + next(count));
    }).join("");
    expect(new Set(text).size).toBeGreaterThan(200);
    expect(await typedIntoEntry(text)).toBe(text);
  });

  it("line feeds and tabs, in every spelling of a line's end", async () => {
    expect(await typedIntoTextView("one\n\ttwo\r\nthree\rfour  ")).toBe("one\n\ttwo\nthree\nfour  ");
  });

  describe("whatever the keyboard's layout and state", () => {
    afterEach(async () => {
      await layout("us");
      if (await capsLock()) await xdotool(opened.env, "key", "Caps_Lock");
    });

    it("German", async () => {
      await layout("de");
      expect(await typedIntoEntry(`${HARD}zyZY-ß€`)).toBe(`${HARD}zyZY-ß€`);
    });

    it("French, whose digits need Shift", async () => {
      await layout("fr");
      expect(await typedIntoEntry(`${HARD}1234567890`)).toBe(`${HARD}1234567890`);
    });

    it("Caps Lock on, and it stays on", async () => {
      await xdotool(opened.env, "key", "Caps_Lock");
      expect(await capsLock()).toBe(true);
      expect(await typedIntoEntry(`${HARD}aA zZ éÉ`)).toBe(`${HARD}aA zZ éÉ`);
      expect(await capsLock()).toBe(true);
    });

    it("the second of two layouts active, and it stays so", async () => {
      await layout("us,ru");
      const display = await new Promise<XDisplay>((resolve, reject) => x11.createClient({ display: opened.displayName ?? "" }, (error, found) => (error ? reject(error) : resolve(found))));
      const xkb = await new Promise<Xkb>((resolve, reject) => display.client.require("xkb", (error, ext) => (error ? reject(error) : resolve(ext))));
      await new Promise((resolve) => xkb.UseExtension(1, 0, resolve));
      const group = (): Promise<number> => new Promise((resolve) => xkb.GetState(xkb.UseCoreKbd, (_, state) => resolve(state.group)));
      xkb.LatchLockState(xkb.UseCoreKbd, 0, 0, true, 1, 0, 0, false, 0);
      expect(await group()).toBe(1);
      expect(await typedIntoEntry(`${HARD} Привет`)).toBe(`${HARD} Привет`);
      // Shortcuts mean the Latin letters here as well.
      const entry = await startApplication(opened.env, "zenity", ["--entry", "--entry-text=aб"]);
      for (const keys of [["ctrl", "a"], ["ctrl", "x"], ["ctrl", "v"], ["ctrl", "v"], ["enter"]]) await opened.computer.chord(keys);
      expect((await entry.ended()).output).toBe("aбaб\n");
      expect(await group()).toBe(1);
      display.client.terminate();
    });
  });

  it("takes a layout that changes between two texts", async () => {
    const entry = await startApplication(opened.env, "zenity", ["--entry"]);
    await opened.computer.type("yz日");
    // A layout that changes before an application has read its keys changes their meaning, whoever pressed them.
    await settle(opened.computer);
    await layout("de");
    await opened.computer.type("yz日\n");
    expect((await entry.ended()).output).toBe("yz日yz日\n");
    await layout("us");
  });

  it("refuses what no keyboard types, by name", async () => {
    await expect(opened.computer.type("a\u001bb")).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringContaining("U+001B") as string });
    await expect(opened.computer.type("a\ud83d")).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringContaining("surrogate") as string });
  });

  it("stops between characters when it is told to", async () => {
    const entry = await startApplication(opened.env, "zenity", ["--entry"]);
    await expect(opened.computer.type("x".repeat(1000), AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
    await opened.computer.type("y\n");
    expect((await entry.ended()).output).toBe("y\n");
  });

  it("gives the borrowed keycodes back when it closes", async () => {
    await using display = await openComputer({ display: "virtual" }).then((own) => ({ ...own, [Symbol.asyncDispose]: () => own.close() }));
    const mapping = async (): Promise<string> => (await run("xmodmap", ["-pke"], { env: display.env })).stdout;
    const before = await mapping();
    await display.computer.type("日本");
    expect(await mapping()).not.toBe(before);
    await display.computer.close();
    expect(await mapping()).toBe(before);
  });
});
