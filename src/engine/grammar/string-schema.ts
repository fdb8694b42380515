import { ANY, type Spelling } from "./characters.js";
import { compilePattern, UnsupportedPattern, type CompiledPattern } from "./pattern.js";
import { repeat, type GrammarNode } from "./node.js";
import type { Schema, SchemaSource } from "./schema-source.js";

/** Minutes, seconds and offsets as RFC 3339 writes them. */
const TIME = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`;
/** Leap days are left out: they would need the year. */
const DATE = String.raw`\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)`;
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const BYTE = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;

/** Texts of each format that everyone takes for such; not every one that its specification allows. */
const FORMATS: Readonly<Record<string, string>> = {
  date: DATE,
  time: TIME,
  "date-time": `${DATE}T${TIME}`,
  duration: String.raw`P(?:\d{1,4}W|\d{1,4}D(?:T(?:\d{1,4}H)?\d{1,4}M)?|T(?:\d{1,4}H(?:\d{1,4}M(?:\d{1,4}S)?)?|\d{1,4}M(?:\d{1,4}S)?|\d{1,4}S))`,
  uuid: "[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
  email: `[A-Za-z0-9_+-]{1,32}(?:\\.[A-Za-z0-9_+-]{1,31})?@${LABEL}(?:\\.${LABEL}){0,2}\\.[A-Za-z]{2,12}`,
  hostname: `${LABEL}(?:\\.${LABEL}){0,2}`,
  ipv4: `${BYTE}(?:\\.${BYTE}){3}`,
  ipv6: "[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}",
  uri: `https?://${LABEL}(?:\\.${LABEL}){0,4}(?::[1-9]\\d{1,3})?(?:/[A-Za-z0-9._~-]{0,200}){0,8}(?:\\?[A-Za-z0-9._~=&-]{0,200})?`,
};

/** The characters of a string, without what it is quoted by. */
export function stringContent(schema: Schema, source: SchemaSource, path: string, spelling: Spelling): GrammarNode {
  const { pattern, format } = schema;
  const min = sizeOf(schema, "minLength", source, path) ?? 0;
  const max = sizeOf(schema, "maxLength", source, path) ?? Infinity;
  if (pattern === undefined && format === undefined) return repeat(spelling(ANY), min, max);
  if (pattern !== undefined && format !== undefined) throw source.unsupported(`${path}/pattern`, "a pattern beside a format cannot be enforced. Leave out one of them");
  const keyword = pattern === undefined ? "format" : "pattern";
  const compiled = keyword === "format" ? formatOf(format, source, path, spelling) : patternOf(pattern, source, path, spelling);
  if (compiled.min < min) throw source.unsupported(`${path}/minLength`, `the ${keyword} allows shorter texts, and both cannot be enforced together. Say the length in the pattern, e.g. {${min},}`);
  if (compiled.max > max) throw source.unsupported(`${path}/maxLength`, `the ${keyword} allows longer texts, and both cannot be enforced together. Say the length in the pattern, e.g. {0,${max}}`);
  return compiled.node;
}

function patternOf(pattern: unknown, source: SchemaSource, path: string, spelling: Spelling): CompiledPattern {
  if (typeof pattern !== "string") throw source.refusal(`${path}/pattern`, "Expected a regular expression as a string.");
  try {
    return compilePattern(pattern, spelling);
  } catch (error) {
    if (!(error instanceof UnsupportedPattern)) throw error;
    throw source.unsupported(`${path}/pattern`, `this pattern cannot be enforced: ${error.message}`);
  }
}

function formatOf(format: unknown, source: SchemaSource, path: string, spelling: Spelling): CompiledPattern {
  const known = typeof format === "string" && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (known === undefined) throw source.unsupported(`${path}/format`, `this format cannot be enforced. Known are ${Object.keys(FORMATS).join(", ")}`);
  return compilePattern(`^(?:${known})$`, spelling);
}

/** A length or count. */
export function sizeOf(schema: Schema, keyword: string, source: SchemaSource, path: string): number | undefined {
  const value = schema[keyword];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) throw source.refusal(`${path}/${keyword}`, "Expected a whole number that is not negative.");
  return value;
}
