import { setTimeout as sleep } from "node:timers/promises";
import type { Key } from "@nut-tree-fork/nut-js";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { Keyboard, OnHeld } from "./keyboard.js";
import type { ChordKey } from "./keys.js";
import type { Nut } from "./nut.js";
import { typeableCharacters } from "./typed-text.js";

/** An application reads the clipboard only some time after the paste shortcut; what comes next must not overtake it. */
const PASTE_MS = 400;

/** So long a pasted text stays on the clipboard: an application that is slower than that would paste what the person had there. */
const LENT_MS = 1000;

/** Elsewhere nut-js presses the modifiers of a key, and releases them with it: those held longer must not be among them. */
const MODIFIERS_IN_EVENT = process.platform === "darwin";

/** Keys of a US keyboard, which nut-js' names stand for: the character without and with Shift. */
const CHARACTER_KEYS: readonly (readonly [plain: string, shifted: string, key: keyof typeof Key])[] = [
  ...[..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter) => [letter.toLowerCase(), letter, letter as keyof typeof Key] as const),
  ...[..."1234567890"].map((digit, i) => [digit, "!@#$%^&*()"[i] ?? "", `Num${digit}` as keyof typeof Key] as const),
  ["`", "~", "Grave"], ["-", "_", "Minus"], ["=", "+", "Equal"], ["[", "{", "LeftBracket"], ["]", "}", "RightBracket"], ["\\", "|", "Backslash"],
  [";", ":", "Semicolon"], ["'", '"', "Quote"], [",", "<", "Comma"], [".", ">", "Period"], ["/", "?", "Slash"],
];

/**
 * Keys and text on macOS and Windows. Keys go through nut-js. Text goes through the clipboard, because nut-js loses characters:
 * pasted text is exact on every layout, and the clipboard's text is put back a second later (a picture or files in it are lost).
 */
export class NativeKeyboard implements Keyboard {
  readonly #nut: Nut;
  readonly #onHeld: OnHeld;
  #held: number[] = [];
  /** The clipboard while a text of ours is on it: what the person had there, and the text. */
  #lent?: { saved: string; text: string; timer?: NodeJS.Timeout };
  #givingBack: Promise<void> = Promise.resolve();

  constructor(nut: Nut, onHeld: OnHeld) {
    this.#nut = nut;
    this.#onHeld = onHeld;
  }

  async type(text: string, signal?: AbortSignal): Promise<void> {
    const lines = typeableCharacters(text).join("");
    if (lines === "") return;
    const { Key } = this.#nut;
    try {
      // A line feed is Return and a tab is Tab, which in a form mean something other than the characters.
      for (const part of lines.split(/([\n\t])/)) {
        throwIfAborted(signal);
        if (part === "\n") await this.#tap([Key.Return]);
        else if (part === "\t") await this.#tap([Key.Tab]);
        else if (part !== "") await this.#paste(part);
      }
    } finally {
      const giveBack = (): void => {
        this.#givingBack = this.#giveClipboardBack();
      };
      if (this.#lent) this.#lent.timer = setTimeout(giveBack, LENT_MS);
    }
  }

  async chord(keys: ChordKey[]): Promise<void> {
    await this.#tap(keys.flatMap((key) => this.#numbers(key)));
  }

  async keyDown(keys: ChordKey[]): Promise<void> {
    for (const number of keys.flatMap((key) => this.#numbers(key))) if (!this.#held.includes(number)) await this.#press(number, MODIFIERS_IN_EVENT ? this.#held : []);
  }

  async keyUp(keys: ChordKey[]): Promise<void> {
    for (const number of keys.flatMap((key) => this.#numbers(key)).toReversed()) {
      if (!this.#held.includes(number)) continue;
      await this.#nut.keyboard.releaseKey(number);
      this.#held = this.#held.filter((held) => held !== number);
      this.#report();
    }
  }

  async releaseAll(): Promise<void> {
    this.releaseNow();
  }

  releaseNow(): void {
    // The provider acts before it returns its promise.
    for (const key of this.#held.toReversed()) void this.#nut.keyboard.releaseKey(key).catch(() => undefined);
    this.#held = [];
    this.#report();
  }

  async close(): Promise<void> {
    await this.releaseAll();
    await this.#givingBack;
    await this.#giveClipboardBack();
  }

  async #paste(text: string): Promise<void> {
    const { clipboard, Key } = this.#nut;
    await this.#givingBack;
    clearTimeout(this.#lent?.timer);
    const now = await this.#clipboardText();
    this.#lent = { saved: this.#lent && now === this.#lent.text ? this.#lent.saved : now, text };
    await clipboard.setContent(text);
    await this.#tap([process.platform === "darwin" ? Key.LeftCmd : Key.LeftControl, Key.V]);
    await sleep(PASTE_MS);
  }

  /** Never rejects: what cannot be put back is lost, and no reason to fail. */
  async #giveClipboardBack(): Promise<void> {
    if (!this.#lent) return;
    const { saved, text, timer } = this.#lent;
    clearTimeout(timer);
    this.#lent = undefined;
    // What the person has copied in the meantime is theirs.
    if ((await this.#clipboardText()) === text) await this.#nut.clipboard.setContent(saved).catch(() => undefined);
  }

  #clipboardText(): Promise<string> {
    return this.#nut.clipboard.getContent().catch(() => "");
  }

  async #tap(keys: number[]): Promise<void> {
    const before = this.#held.length;
    try {
      for (const key of keys) if (!this.#held.includes(key)) await this.#press(key, MODIFIERS_IN_EVENT ? this.#held : this.#held.slice(before));
    } finally {
      for (let end = this.#held.length; end > before; end--) {
        await this.#nut.keyboard.releaseKey(...this.#held.slice(before, end)).catch(() => undefined);
        this.#held.pop();
      }
      this.#report();
    }
  }

  /** `modifiers` go along with the key: macOS takes them from the event, not from what is held. */
  async #press(key: number, modifiers: readonly number[]): Promise<void> {
    const chord = [...modifiers, key];
    this.#held.push(key);
    this.#report();
    await this.#nut.keyboard.pressKey(...chord);
  }

  #numbers(key: ChordKey): number[] {
    const { Key } = this.#nut;
    if (key.kind === "named") {
      if (key.key.nut !== undefined) return [Key[key.key.nut]];
      throw new DeskhandError("invalid_argument", `Expected a key that can be pressed on this system but received ${key.key.name}, which nut-js does not know.`, { param: "keys" });
    }
    for (const [plain, shifted, name] of CHARACTER_KEYS) {
      if (key.char === plain) return [Key[name]];
      if (key.char === shifted) return [Key.LeftShift, Key[name]];
    }
    throw new DeskhandError("invalid_argument", `Expected a key of a US keyboard but received ${JSON.stringify(key.char)}; send it as text instead.`, { param: "keys" });
  }

  #report(): void {
    this.#onHeld({ keys: this.#held, boundKeycodes: [] });
  }
}
