import { DeskhandError } from "../../core/errors.js";

/** A secret's name, as it stands in the environment and in the keychain. */
export const SECRET_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

const PLACEHOLDER = /\{\{secret:([A-Za-z][A-Za-z0-9_]*)\}\}/g;
/** Anything that may have been meant as a placeholder: to type it as it stands would be silently wrong. */
const ALMOST = /\{\{\s*secret\b/i;

/** Text to be typed as it stands, or a secret by its name. */
export type TextPart = { plain: string } | { secret: string };

/** `{{secret:NAME}}` as a text has it. */
export function placeholderOf(name: string): string {
  return `{{secret:${name}}}`;
}

/**
 * A text in parts, in order, none of them empty.
 * @throws DeskhandError `model_output` for a placeholder that is spelt wrong.
 */
export function splitSecrets(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    parts.push({ plain: text.slice(end, match.index) }, { secret: match[1]! });
    end = match.index + match[0].length;
  }
  parts.push({ plain: text.slice(end) });
  for (const part of parts) {
    if ("plain" in part && ALMOST.test(part.plain)) throw new DeskhandError("model_output", `Expected a secret as {{secret:NAME}}, with a name of letters, digits and "_", but received ${JSON.stringify(part.plain)}.`);
  }
  return parts.filter((part) => !("plain" in part) || part.plain !== "");
}

/** The names in a text, each once. */
export function secretNames(text: string): string[] {
  return [...new Set(splitSecrets(text).flatMap((part) => ("secret" in part ? [part.secret] : [])))];
}
