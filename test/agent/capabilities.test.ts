import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Action, type ActionInput } from "../../src/agent/actions.js";
import type { WindowInfo } from "../../src/agent/computer/computer.js";
import { Capabilities, reachOf } from "../../src/agent/safety/capabilities.js";
import { CapabilityFile, readCapabilityFile } from "../../src/agent/safety/capability-file.js";
import { RateLimiter } from "../../src/agent/safety/rate-limiter.js";

const EDITOR: WindowInfo = { id: "1", applications: ["gedit", "Gedit"], title: "Letter.txt – gedit" };
const CURSOR = { x: 50, y: 50 };

interface Circumstances {
  windows?: (WindowInfo | undefined)[];
  heldKeys?: string[];
  typedBefore?: string;
}

function denied(file: unknown, input: ActionInput, { windows = [EDITOR], heldKeys = [], typedBefore = "" }: Circumstances = {}): string | undefined {
  const action = Action.parse(input);
  return new Capabilities(CapabilityFile.parse(file)).whyDenied(action, { ...reachOf(action, { cursor: CURSOR, heldKeys, typedBefore }), windows });
}

const click = (x: number, y: number): ActionInput => ({ type: "click", at: { x, y } });
const type = (text: string): ActionInput => ({ type: "type", text });
const key = (...keys: string[]): ActionInput => ({ type: "key", keys });

describe("a capability file", () => {
  it("denies nothing of what it does not speak of", () => {
    for (const action of [click(1, 1), type("rm -rf /\n"), key("alt", "f4")]) expect(denied({}, action, { windows: [undefined] })).toBeUndefined();
  });

  it.each([
    ["an allowed application", { applications: { allow: ["gedit"] } }, undefined],
    ["by either of its names, in any case, with *", { applications: { allow: ["GED*"] } }, undefined],
    ["another application", { applications: { allow: ["firefox"] } }, /application "gedit"\/"Gedit"/],
    ["only a part of a name", { applications: { allow: ["edit"] } }, /gedit/],
    ["denied though allowed", { applications: { allow: ["*"], deny: ["gedit"] } }, /gedit/],
    ["an allowed title", { windows: { allow: ["Letter.??? – *"] } }, undefined],
    ["another title", { windows: { allow: ["Letter.txt"] } }, /window "Letter.txt – gedit"/],
    ["a dot is a dot", { windows: { allow: ["Letter?txtx*", "Letter.tx.*"] } }, /Letter/],
    ["nothing allowed", { windows: { allow: [] } }, /window/],
  ])("goes by windows: %s", (_, file, why) => {
    for (const action of [click(1, 1), type("a"), key("ctrl", "s")]) {
      if (why) expect(denied(file, action)).toMatch(why);
      else expect(denied(file, action)).toBeUndefined();
    }
  });

  it("denies what happens in a window that nobody knows, and all ends of a drag count", () => {
    const file = { applications: { allow: ["*"] } };
    expect(denied(file, click(1, 1), { windows: [undefined] })).toMatch(/not known/);
    expect(denied(file, { type: "drag", to: { x: 9, y: 9 } }, { windows: [EDITOR, undefined] })).toMatch(/not known/);
    expect(denied(file, click(1, 1), { windows: [{ ...EDITOR, applications: [] }] })).toMatch(/not known/);
  });

  it.each<[string, ActionInput, boolean]>([
    ["inside", click(10, 10), true],
    ["on the far edge", click(100, 50), false],
    ["the last pixel", click(99, 99), true],
    ["at the cursor", { type: "click" }, true],
    ["in a denied part", click(30, 30), false],
    ["moving there", { type: "move", to: { x: 200, y: 5 } }, false],
    ["scrolling there", { type: "scroll", at: { x: 200, y: 5 }, up: 1 }, false],
    ["releasing there", { type: "mouse_up", at: { x: 200, y: 5 } }, false],
    ["a drag out of it", { type: "drag", to: { x: 150, y: 50 } }, false],
    ["a drag across a denied part", { type: "drag", from: { x: 10, y: 30 }, to: { x: 60, y: 30 } }, false],
    ["a drag around it", { type: "drag", from: { x: 10, y: 30 }, via: [{ x: 10, y: 60 }, { x: 60, y: 60 }], to: { x: 60, y: 30 } }, true],
    ["keys are nowhere", key("enter"), true],
  ])("goes by places: %s", (_, action, allowed) => {
    const file = { regions: { allow: [{ x: 0, y: 0, width: 100, height: 100 }], deny: [{ x: 20, y: 20, width: 20, height: 20 }] } };
    expect(denied(file, action) === undefined).toBe(allowed);
  });

  it.each<[string, ActionInput, boolean, string[]?]>([
    ["listed", key("ctrl", "s"), true],
    ["in another spelling", key("S", "Control_R"), true],
    ["as one word", key("Ctrl+S"), true],
    ["with more modifiers", key("ctrl", "shift", "s"), false],
    ["any key with these modifiers", key("alt", "f"), true],
    ["the modifier alone is one of these", key("alt"), true],
    ["denied of these", key("alt", "F4"), false],
    ["not listed", key("tab"), false],
    ["Return in a text", type("a\n"), true],
    ["Tab in a text", type("a\tb"), false],
    ["a letter is text", key("a"), true],
    ["a letter while Ctrl is down is a chord", key("w"), false, ["ctrl"]],
    ["typing while Ctrl is down presses chords", type("w"), false, ["ctrl"]],
    ["typing while Shift is down types", type("w"), true, ["shift"]],
    ["a key that stays down", { type: "key_down", keys: ["super"] }, false],
    ["a click with a key held", { type: "click", held: ["super"] }, false],
    ["holding keys for a time", { type: "hold_key", keys: ["f5"], ms: 10 }, false],
  ])("goes by chords: %s", (_, action, allowed, heldKeys) => {
    expect(denied({ keys: { allow: ["ctrl+s", "enter", "alt+*"], deny: ["alt+f4"] } }, action, { heldKeys }) === undefined).toBe(allowed);
  });

  it.each<[string, ActionInput, boolean, string?]>([
    ["a text that matches", type("Ada Lovelace"), true],
    ["one that matches in part only", type("Ada; Lovelace"), false],
    ["each line by itself", type("Ada\nLovelace"), true],
    ["a denied word", type("password"), false],
    ["a denied word in two goes", type("word"), false, "pass"],
    ["a denied word key by key", key("d"), false, "passwor"],
    ["a single key", key(";"), false],
    ["no text at all", key("ctrl", "v"), true],
  ])("goes by text: %s", (_, action, allowed, typedBefore) => {
    expect(denied({ text: { allow: ["[\\p{L} ]+"], deny: ["pass ?word"] } }, action, { typedBefore }) === undefined).toBe(allowed);
  });

  it.each<[string, string, (WindowInfo | undefined)[], boolean]>([
    ["where it belongs", "{{secret:MAIL}}", [EDITOR], true],
    ["elsewhere", "{{secret:MAIL}}", [{ ...EDITOR, title: "Chat" }], false],
    ["in an unknown window", "{{secret:MAIL}}", [undefined], false],
    ["anywhere, if the file says so", "{{secret:PIN}}", [undefined], true],
    ["not listed", "{{secret:OTHER}}", [EDITOR], false],
    ["named like something of JavaScript's", "{{secret:constructor}}", [EDITOR], false],
    ["one good, one bad", "{{secret:PIN}} {{secret:OTHER}}", [EDITOR], false],
  ])("goes by secrets: %s", (_, text, windows, allowed) => {
    expect(denied({ secrets: { MAIL: { applications: ["gedit"], windows: ["Letter*"] }, PIN: {} } }, type(text), { windows }) === undefined).toBe(allowed);
  });
});

describe("reading a capability file", () => {
  async function read(text: string): Promise<CapabilityFile> {
    const folder = await mkdtemp(join(tmpdir(), "deskhand-test-"));
    try {
      await writeFile(join(folder, "safe.yaml"), text);
      return await readCapabilityFile(join(folder, "safe.yaml"));
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it("takes all sections", async () => {
    const file = await read("applications:\n  allow: [gedit]\nregions:\n  allow:\n    - {x: 0, y: 0, width: 10, height: 10}\nkeys: {allow: [ctrl+s, 'alt+*', '*']}\nrates: {actionsPerMinute: 30}\n");
    expect(file).toEqual({ applications: { allow: ["gedit"], deny: [] }, regions: { allow: [{ x: 0, y: 0, width: 10, height: 10 }], deny: [] }, keys: { allow: ["ctrl+s", "alt+*", "*"], deny: [] }, rates: { actionsPerMinute: 30 } });
  });

  it.each([
    ["a section it does not know", "aplications: {allow: [a]}", /aplications/],
    ["a section without allow", "windows: {deny: [a]}", /windows\.allow/],
    ["an unknown key", "keys: {allow: [ctrl+wibble]}", /keys\.allow\.0: .*"wibble"/],
    ["a bad pattern", "text: {allow: ['(']}", /text\.allow\.0: Expected a regular expression/],
    ["a key that stands twice", "windows: {allow: [a]}\nwindows: {allow: [b]}", /line 2/],
    ["broken YAML", "windows: {allow: [a", /safe\.yaml.*line 1/s],
    ["an unknown tag", "windows: !!js {allow: [a]}", /YAML/],
    ["an empty file", "", /\(root\)/],
    ["a number for a text", "applications: {allow: [7]}", /applications\.allow\.0.*string/],
    ["a bad name of a secret", "secrets: {A-B: {}}", /secrets/],
  ])("refuses %s, by name", async (_, text, why) => {
    await expect(read(text)).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringMatching(why) as string });
  });

  it("takes the example and the one in the documentation", async () => {
    const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
    expect(await readCapabilityFile(file("../../examples/safe.yaml"))).toMatchObject({ applications: { allow: ["zenity"] } });
    const [, yaml] = /```yaml\n(.*?)```/s.exec(await readFile(file("../../docs/safety.md"), "utf8"))!;
    expect(Object.keys(await read(yaml!))).toEqual(Object.keys(CapabilityFile.shape));
  });

  it("says so when there is none", async () => {
    await expect(readCapabilityFile("/nowhere/safe.yaml")).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringContaining("/nowhere/safe.yaml") as string });
  });
});

describe("rates", () => {
  it("wait until the minute has room, and no longer", async () => {
    let now = 0;
    const waits: number[] = [];
    const limiter = new RateLimiter(3, { now: () => now, wait: async (ms) => void (waits.push(ms), (now += ms)) });
    const { signal } = new AbortController();
    for (const amount of [1, 1, 1]) {
      await limiter.take(amount, signal);
      now += 1000;
    }
    expect(waits).toEqual([]);
    await limiter.take(2, signal);
    // The first two have to leave the minute: at 60 and 61 s; it is 3 s.
    expect(waits).toEqual([57_000, 1000]);
    expect(limiter.allows(3)).toBe(true);
    expect(limiter.allows(4)).toBe(false);
  });
});
