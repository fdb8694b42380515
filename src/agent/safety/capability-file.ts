import { readFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import { z } from "zod";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { resolveChord } from "../computer/keys.js";
import { SECRET_NAME } from "./secret-text.js";

/** What may be done and what not; `deny` is stronger. Whatever a list does not allow is denied. */
function listOf<T extends z.ZodType>(item: T) {
  return z.strictObject({ allow: z.array(item), deny: z.array(item).default([]) });
}

/** `*` is any text and `?` any character; upper and lower case are the same. */
const Glob = z.string().min(1);
const Globs = z.array(Glob).min(1);

/** In logical pixels of the desktop, as in the trajectory. */
const Rectangle = z.strictObject({ x: z.number(), y: z.number(), width: z.number().positive(), height: z.number().positive() });

/** `ctrl+s`; `ctrl+*` is every key with Ctrl, and `*` every chord. */
const ChordPattern = z.string().min(1).superRefine((pattern, context) => {
  try {
    resolveChord([pattern.replace(/\*$/, "a")]);
  } catch (error) {
    context.addIssue({ code: "custom", message: messageOf(error) });
  }
});

/** A regular expression of JavaScript, in its Unicode mode. */
const Pattern = z.string().min(1).superRefine((pattern, context) => {
  try {
    new RegExp(pattern, "u");
  } catch (error) {
    context.addIssue({ code: "custom", message: `Expected a regular expression but received ${JSON.stringify(pattern)} (${messageOf(error)})` });
  }
});

const Rate = z.number().int().positive();

/** A capability file. A section that is there denies what it does not allow; one that is absent says nothing. */
export const CapabilityFile = z.strictObject({
  /** By WM_CLASS on X11; macOS and Windows do not tell applications, so that this denies everything there. */
  applications: listOf(Glob).optional(),
  /** By the titles of windows. */
  windows: listOf(Glob).optional(),
  /** Where the pointer may act. */
  regions: listOf(Rectangle).optional(),
  /** Which chords may be pressed; Return and Tab in a text are chords as well, characters are text. */
  keys: listOf(ChordPattern).optional(),
  /** `allow` has to match a whole text, `deny` any part of what was typed in one go, key by key included. */
  text: listOf(Pattern).optional(),
  /** Which secrets may be typed, and where. */
  secrets: z.record(z.string().regex(SECRET_NAME), z.strictObject({ applications: Globs.optional(), windows: Globs.optional() })).optional(),
  /** Which functions of the program, beside the computer, may be called. */
  functions: listOf(Glob).optional(),
  /** Faster than this it waits. */
  rates: z.strictObject({ actionsPerMinute: Rate.optional(), charactersPerMinute: Rate.optional() }).optional(),
});
export type CapabilityFile = z.output<typeof CapabilityFile>;

/** @throws DeskhandError `invalid_argument` that names the file, and the line or the field at fault. */
export async function readCapabilityFile(path: string): Promise<CapabilityFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new DeskhandError("invalid_argument", `Expected a readable capability file at ${path} but received: ${messageOf(cause)}.`, { cause, param: "capabilities" });
  }
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new DeskhandError("invalid_argument", `Expected YAML in the capability file ${path} but received: ${problem.message.trim()}`, { cause: problem, param: "capabilities" });
  return parseWith(CapabilityFile, document.toJS(), `The capability file ${path}`);
}
