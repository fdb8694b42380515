import { DeskhandError } from "../../core/errors.js";

/**
 * The characters (code points) to type, in order, with line ends as one line feed each.
 * @throws DeskhandError `invalid_argument` for what no keyboard types: other control characters, and halves of surrogate pairs.
 */
export function typeableCharacters(text: string): string[] {
  const characters = [...text.replace(/\r\n?/g, "\n")];
  const bad = characters.find((char) => /[\p{Cc}\p{Cs}]/u.test(char) && char !== "\n" && char !== "\t");
  if (bad !== undefined) {
    const codePoint = (bad.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    throw new DeskhandError("invalid_argument", `Expected text that can be typed but received U+${codePoint}, ${/\p{Cs}/u.test(bad) ? "half of a surrogate pair" : "a control character"}; send a key of its own for Escape, Backspace and the like.`, { param: "text" });
  }
  return characters;
}
