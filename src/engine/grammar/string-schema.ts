import { ANY, type Characters, type Spelling } from "./characters.js";
import { FORMATS, UNWRITTEN_FORMATS } from "./formats.js";
import { grammarOf } from "./language-grammar.js";
import { Languages, TooComplex, type Language } from "./language.js";
import { text, type GrammarNode } from "./node.js";
import { patternLanguage, UnsupportedPattern } from "./pattern.js";
import type { Schema, SchemaSource } from "./schema-source.js";

/** The characters of a string, without what it is quoted by, and with none that are not in the alphabet, which has all plain ones. */
export function stringContent(schema: Schema, source: SchemaSource, path: string, spelling: Spelling, alphabet: Characters = ANY): GrammarNode {
  const min = sizeOf(schema, "minLength", source, path) ?? 0;
  const max = sizeOf(schema, "maxLength", source, path) ?? Infinity;
  const patterns = patternsOf(schema);
  const format = formatOf(schema, source, path, patterns.length > 0);
  if (patterns.length === 0 && format === undefined) return text(spelling(alphabet), min, max);
  const keyword = patterns.length > 0 ? "pattern" : "format";
  try {
    const languages = new Languages();
    const language = languages.all(...patterns.map((pattern) => patternLanguage(pattern, languages)), ...(format === undefined ? [] : [patternLanguage(`^(?:${format})$`, languages)]));
    return grammarOf(languages, withLength(languages, language, min, max), { alphabet, spelling });
  } catch (error) {
    if (error instanceof UnsupportedPattern) throw source.unsupported(`${path}/${keyword}`, `this pattern cannot be enforced: ${error.message}`);
    if (error instanceof TooComplex) throw source.unsupported(`${path}/${keyword}`, `this ${keyword}, with what else is said about the text, cannot be enforced: ${error.message}. Simplify it`);
    throw error;
  }
}

function withLength(languages: Languages, text: Language, min: number, max: number): Language {
  return text.min >= min && text.max <= max ? text : languages.all(text, languages.repeat(languages.character, min, max));
}

/** Of schemas that were merged there may be several. */
function patternsOf({ pattern }: Schema): string[] {
  return Array.isArray(pattern) ? (pattern as string[]) : typeof pattern === "string" ? [pattern] : [];
}

function formatOf({ format }: Schema, source: SchemaSource, path: string, hasPattern: boolean): string | undefined {
  if (format === undefined || (typeof format === "string" && UNWRITTEN_FORMATS.has(format))) return undefined;
  const known = typeof format === "string" ? FORMATS.get(format) : undefined;
  // Some libraries name what the pattern says.
  if (known === undefined && !hasPattern) throw source.unsupported(`${path}/format`, `this format cannot be enforced. Known are ${[...FORMATS.keys()].join(", ")}`);
  return known;
}

/** A length or count. */
export function sizeOf(schema: Schema, keyword: string, source: SchemaSource, path: string): number | undefined {
  const value = schema[keyword];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) throw source.refusal(`${path}/${keyword}`, "Expected a whole number that is not negative.");
  return value;
}
