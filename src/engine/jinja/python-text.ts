import type { Value } from "./runtime.js";

/** What `str.strip` takes for white space; JavaScript's `trim` has U+FEFF in place of U+0085 and U+001C to U+001F. */
const SPACE = "\\t\\n\\v\\f\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** `str(value)`. Undefined is the empty text, as Jinja prints it. */
export function pythonStr(value: Value): string {
  if (value.type === "StringValue") return String(value.value);
  return value.type === "UndefinedValue" ? "" : pythonRepr(value);
}

/** `repr(value)`. */
export function pythonRepr(value: Value): string {
  switch (value.type) {
    case "NullValue":
    case "UndefinedValue":
      return "None";
    case "BooleanValue":
      return value.value === true ? "True" : "False";
    case "FloatValue":
      return value.toString().replace(/e([+-])(\d)$/, "e$10$2");
    case "StringValue":
      return quoted(String(value.value));
    case "ArrayValue":
      return `[${(value.value as Value[]).map(pythonRepr).join(", ")}]`;
    case "TupleValue":
      return `(${(value.value as Value[]).map(pythonRepr).join(", ")})`;
    case "ObjectValue":
      return `{${[...(value.value as Map<string, Value>)].map(([key, entry]) => `${quoted(key)}: ${pythonRepr(entry)}`).join(", ")}}`;
    default:
      return value.toString();
  }
}

/** `str.strip`, `lstrip` and `rstrip`; `characters` are those to take away instead of white space. */
export function strip(text: string, side: "left" | "right" | "both", characters?: string): string {
  const set = characters === undefined ? SPACE : characters.replaceAll(/[\\\]^-]/g, "\\$&");
  if (set === "") return text;
  const left = side === "right" ? text : text.replace(new RegExp(`^[${set}]+`, "u"), "");
  if (side === "left") return left;
  // From the end by hand: an expression anchored there would try every run on the way.
  const one = new RegExp(`[${set}]`, "u");
  let end = left.length;
  for (;;) {
    const last = [...left.slice(Math.max(0, end - 2), end)].at(-1);
    if (last === undefined || !one.test(last)) return left.slice(0, end);
    end -= last.length;
  }
}

/** Private use characters stay, which Python escapes: the mark of a `SpecialTokenShield` is one. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", [quote]: `\\${quote}` };
  return quote + text.replaceAll(/[\\'"]|(?! )[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Z}]/gu, (c) => named[c] ?? (c === "'" || c === '"' ? c : escaped(c.codePointAt(0)!))) + quote;
}

function escaped(code: number): string {
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, "0")}` : code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
