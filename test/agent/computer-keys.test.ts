import { createRequire } from "node:module";
import x11 from "x11";
import { describe, expect, it } from "vitest";
import { resolveChord, type ChordKey } from "../../src/agent/computer/keys.js";

const { Key } = createRequire(import.meta.url)("@nut-tree-fork/nut-js") as { Key: Record<string, number> };
/** The X consortium's own names and numbers, as the x11 package ships them. */
const { keySyms } = x11 as unknown as { keySyms: Record<string, number> };

const names = (keys: string[]): string[] => resolveChord(keys).map((key) => (key.kind === "named" ? key.key.name : `'${key.char}'`));
const keysym = (name: string): number | undefined => {
  const [key] = resolveChord([name]);
  return key?.kind === "named" ? key.key.keysyms[0] : undefined;
};

describe("the field's spellings of keys", () => {
  it.each([
    // xdotool, Anthropic
    [["Return"], ["enter"]],
    [["ctrl+shift+t"], ["ctrl", "shift", "'t'"]],
    [["Page_Up"], ["pageup"]],
    [["super"], ["super"]],
    [["alt+Tab"], ["alt", "tab"]],
    [["KP_Enter"], ["KP_Enter"]],
    [["ctrl+plus"], ["ctrl", "'+'"]],
    [["BackSpace"], ["backspace"]],
    [["Control_L", "minus"], ["ctrl", "'-'"]],
    // Qwen, pyautogui
    [["ctrl", "a"], ["ctrl", "'a'"]],
    [["enter"], ["enter"]],
    [["pageup"], ["pageup"]],
    [["arrowleft"], ["left"]],
    [["cmd", "c"], ["super", "'c'"]],
    [["option", "f4"], ["alt", "f4"]],
    [["win"], ["super"]],
    [["prtsc"], ["printscreen"]],
    [["pgdn"], ["pagedown"]],
    // OpenAI
    [["CTRL", "A"], ["ctrl", "'a'"]],
    [["ESC"], ["esc"]],
    [["ARROWDOWN"], ["down"]],
    [["/"], ["'/'"]],
    [["SPACE"], ["space"]],
    // UI-TARS, browsers
    [["page down"], ["pagedown"]],
    [["ControlLeft", "KeyV"], ["ctrl", "'v'"]],
    [["Digit1"], ["'1'"]],
    [["Meta"], ["super"]],
    [["ArrowUp"], ["up"]],
    [[" "], ["space"]],
    [["\n"], ["enter"]],
    // Joined by plus, and plus itself
    [["ctrl++"], ["ctrl", "'+'"]],
    [["+"], ["'+'"]],
    [["ctrl", "+"], ["ctrl", "'+'"]],
    [["ctrl + z"], ["ctrl", "'z'"]],
    // A letter alone is itself
    [["A"], ["'A'"]],
    [["é"], ["'é'"]],
  ])("%j", (keys, expected) => {
    expect(names(keys)).toEqual(expected);
  });

  it.each(["Control_L", "Shift_R", "Alt_L", "Super_L", "Return", "Escape", "BackSpace", "Delete", "Insert", "Home", "End", "Prior", "Next", "Left", "Up", "Right", "Down", "Caps_Lock", "Num_Lock", "Scroll_Lock", "Print", "Pause", "Menu", "F1", "F12", "F24", "KP_0", "KP_9", "KP_Enter", "KP_Add", "KP_Decimal", "Tab", "ISO_Level3_Shift"])(
    "%s has X11's keysym of that name",
    (name) => {
      const value: unknown = keySyms[`XK_${name}`] ?? keySyms[name];
      expect(value).toBeDefined();
      expect(keysym(name)).toBe(typeof value === "object" && value !== null && "code" in value ? value.code : value);
    },
  );

  it("names only keys that nut-js has", () => {
    const all = [...Array.from({ length: 24 }, (_, i) => `f${i + 1}`), "ctrl", "shift", "alt", "super", "fn", "enter", "tab", "space", "esc", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown", "left", "up", "right", "down", "capslock", "menu", "printscreen", "clear", "volumeup", "mute", "playpause", "kp_0", "kp_add", "kp_equal"];
    const nut = (key: ChordKey | undefined): string | undefined => (key?.kind === "named" ? key.key.nut : undefined);
    for (const name of all) expect(Key[nut(resolveChord([name])[0]) ?? ""], name).toBeTypeOf("number");
  });
});

it.each([
  ["entre", "enter"],
  ["contrl", "control"],
  ["pagup", "pageup"],
  ["bakspace", "backspace"],
])("refuses %s and names %s among the nearest", (wrong, right) => {
  expect(() => resolveChord([wrong])).toThrow(expect.objectContaining({ code: "invalid_argument", message: expect.stringContaining(right) as string }));
});

it.each([[[]], [[""]], [["ctrl+"]], [["ctrl", ""]]])("refuses %j", (keys) => {
  expect(() => resolveChord(keys)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
});
