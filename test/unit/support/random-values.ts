import type { Random } from "./random-schemas.js";

type Schema = Record<string, unknown>;

const LETTERS = ["a", "b", "Z", " ", '"', "\\", "\n", "\u0001", "é", "日", "😀", "/"];
/** A text for each pattern of random-schemas.ts that has to be told. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  "^[a-c]{1,3}$": ["a", "cab"],
  "^(foo|ba[rz])$": ["foo", "baz"],
  "^\\d{3}-\\d{2}$": ["012-34"],
  "^[^a-z]{2,4}$": ["A\n", "日本", "😀😀😀😀"],
  '^["\\\\<]x?$': ['"x', "\\", "<"],
  "^\\w+é?$": ["_é", "abc"],
  "^.{2}$": ["😀é", "ab"],
  "^[\\u{1F600}-\\u{1F64F}]$": ["😀"],
  "b{2}": ["bb", "\nabbé"],
  "^[a-z]{1,4}$": ["q", "wxyz"],
};

/** A value for a schema of random-schemas.ts, made without any grammar: properties in the order of their definition, none but the defined. */
export function randomValue(random: Random, schema: unknown, root: Schema, depth = 0): unknown {
  if (typeof schema === "boolean") return random.pick([true, 1, "x", null]);
  const { $ref, anyOf, allOf, type, ...own } = schema as Schema & { anyOf?: unknown[]; allOf?: Schema[] };
  if ($ref !== undefined) return randomValue(random, (root["$defs"] as Schema)["shared"], root, depth + 1);
  if (anyOf !== undefined) return randomValue(random, depth > 4 ? anyOf.at(-1) : random.pick(anyOf), root, depth + 1);
  if (allOf !== undefined) return Object.assign({}, ...allOf.map((one) => randomValue(random, one, root, depth))) as unknown;
  if ("const" in own) return own["const"];
  if ("enum" in own) return random.pick(own["enum"] as unknown[]);
  const one = Array.isArray(type) ? (random.pick(type) as unknown) : (type ?? ("properties" in own || "required" in own ? "object" : "string"));
  switch (one) {
    case "null":
      return null;
    case "boolean":
      return random.chance(0.5);
    case "integer":
    case "number":
      return numberOf(random, own, one === "integer");
    case "string":
      return stringOf(random, own);
    case "array":
      return arrayOf(random, own, root, depth);
    default:
      return objectOf(random, own, root, depth);
  }
}

function numberOf(random: Random, schema: Schema, isWhole: boolean): number {
  const bound = (closed: string, open: string, sign: number, otherwise: number): number => {
    if (schema[open] !== undefined) return (schema[open] as number) + sign * (isWhole ? 1 : 0.5);
    return (schema[closed] as number | undefined) ?? otherwise;
  };
  const given = bound("minimum", "exclusiveMinimum", 1, NaN);
  const high = bound("maximum", "exclusiveMaximum", -1, Number.isNaN(given) ? 1000 : given + 1000);
  const low = Number.isNaN(given) ? high - 1000 : given;
  const between = low + random.next() * (high - low);
  const candidates = [low, high, isWhole ? Math.round(between) : Number(between.toFixed(4))];
  // More digits than doubles tell apart are not written.
  const fit = candidates.filter((value) => value >= low && value <= high && String(value).replace(/\D/g, "").length <= 15);
  return random.pick(fit.length > 0 ? fit : [low]) + 0;
}

function stringOf(random: Random, { pattern, minLength, maxLength }: Schema): string {
  if (typeof pattern === "string") return random.pick(EXAMPLES[pattern]!);
  const min = (minLength as number | undefined) ?? 0;
  return Array.from({ length: random.int(min, (maxLength as number | undefined) ?? min + 5) }, () => random.pick(LETTERS)).join("");
}

function arrayOf(random: Random, { prefixItems = [], items, minItems = 0, maxItems = 4 }: Schema, root: Schema, depth: number): unknown[] {
  const first = prefixItems as unknown[];
  const most = items === false ? Math.min(first.length, maxItems as number) : (maxItems as number);
  const length = random.int(Math.min(minItems as number, most), most);
  return Array.from({ length }, (_, i) => randomValue(random, i < first.length ? first[i] : items, root, depth + 1));
}

function objectOf(random: Random, { properties = {}, required = [], propertyNames, additionalProperties }: Schema, root: Schema, depth: number): Schema {
  if (propertyNames !== undefined) return { [stringOf(random, propertyNames as Schema)]: randomValue(random, additionalProperties, root, depth + 1) };
  const wanted = Object.entries(properties as Schema).filter(([name]) => (required as string[]).includes(name) || random.chance(depth > 4 ? 0 : 0.5));
  return Object.fromEntries(wanted.map(([name, schema]) => [name, randomValue(random, schema, root, depth + 1)]));
}

/** The same value with something changed in one place, which may make it invalid. */
export function changed(random: Random, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.7)) {
    const at = random.int(0, value.length - 1);
    return value.map((one, i) => (i === at ? changed(random, one) : (one as unknown)));
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0 && random.chance(0.8)) {
    const name = random.pick(Object.keys(value));
    const { [name]: own, ...rest } = value as Schema;
    return random.chance(0.3) ? rest : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, key === name ? changed(random, own) : (one as unknown)]));
  }
  if (typeof value === "number") return random.pick([value + 1, value - 1, -value, value * 1000, value + 0.5]);
  if (typeof value === "string") return random.pick([`${value}a`, value.slice(1), "", `${value}\n`]);
  return random.pick([null, 0, "a", [], {}, true]);
}
