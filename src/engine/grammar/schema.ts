import { ANY, inverse, type Spelling } from "./characters.js";
import { alt, EMPTY, list, literal, NEVER, optional, repeat, Rule, seq, words, type GrammarNode } from "./node.js";
import { bracketed, COLON, COMMA, quoted, type Notation } from "./notation.js";
import { integers, numbers } from "./numbers.js";
import { alternatives } from "./schema-merge.js";
import { assertionsOf, escaped, isObject, isOnlyReference, TYPES, typesOf, type Schema, type SchemaSource, type Type } from "./schema-source.js";
import { sizeOf, stringContent } from "./string-schema.js";

/** Schemas within schemas, all together: far more than anyone writes by hand. */
const MAX_SCHEMAS = 5_000;
/** Levels of schemas written into each other; recursion by reference has no limit. */
const MAX_DEPTH = 64;
/** Characters of a property's name. */
const MAX_NAME = 256;
/** Values that a range of multiples may have. */
const MAX_MULTIPLES = 10_000;

/** Patterns of one object's names. */
const MAX_PATTERNS = 16;

const LINKS = ["$ref", "allOf", "anyOf", "oneOf"];

/** An object's property. */
export interface Property {
  name: string;
  schema: unknown;
  isRequired: boolean;
  path: string;
}

/** What is known of an object's properties; `extra` is the schema of those that are not named. */
export interface Properties {
  named: Property[];
  extra: unknown;
}

/**
 * Turns a JSON Schema into a grammar of values that are valid by it: every text it allows is, though not everything that is valid can be
 * written. Properties come in the order of their definition; others only where `additionalProperties` asks for them or none is defined.
 */
export class SchemaCompiler {
  readonly #rules = new Map<string, Rule>();
  readonly #any = new Rule();
  #count = 0;

  constructor(
    private readonly source: SchemaSource,
    private readonly notation: Notation,
  ) {
    this.#any.body = alt(...TYPES.filter((type) => type !== "integer").map((type) => this.#typed(type, {}, "", 0)));
  }

  /** @throws DeskhandError naming the path of what cannot be enforced. */
  compile(value: unknown, path = "", depth = 0): GrammarNode {
    const { source } = this;
    if (++this.#count > MAX_SCHEMAS) throw source.refusal(path, `Expected at most ${MAX_SCHEMAS} schemas within this one.`);
    if (depth > MAX_DEPTH) throw source.refusal(path, `Expected at most ${MAX_DEPTH} schemas within each other.`);
    const schema = source.check(value, path);
    if (typeof schema === "boolean") return schema ? this.#any : NEVER;
    if (assertionsOf(schema).length === 0) return this.#any;
    if (isOnlyReference(schema)) {
      const target = source.resolve(schema["$ref"], path);
      return this.#once(`#${target.path}`, () => this.compile(target.schema, target.path));
    }
    if (!LINKS.some((link) => link in schema)) return this.#plain(schema, path, depth);
    const plain = alternatives(source, schema, path);
    const [link] = assertionsOf(schema);
    const branches = link === undefined ? undefined : schema[link];
    // Alternatives that stand alone keep their references: what is recursive stays so.
    if (assertionsOf(schema).length === 1 && Array.isArray(branches) && (link !== "allOf" || branches.length === 1)) {
      return alt(...branches.map((branch: unknown, i) => this.compile(branch, `${path}/${link}/${i}`, depth + 1)));
    }
    return this.#once(JSON.stringify(plain), () => alt(...plain.map((one) => this.#plain(one, path, 0))));
  }

  /** A rule for what may be within itself. */
  #once(key: string, compile: () => GrammarNode): GrammarNode {
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const rule = new Rule();
    this.#rules.set(key, rule);
    rule.body = compile();
    return rule;
  }

  /** The alternatives of a schema of objects, each of which says everything itself. */
  objects(value: unknown, path = ""): Schema[] {
    return alternatives(this.source, value, path).map((schema) => {
      if ((schema["type"] ?? "object") !== "object") throw this.source.refusal(`${path}/type`, `Expected "object": a function's arguments are one.`);
      return { ...schema, type: "object" };
    });
  }

  /** What an object schema says of its properties. */
  properties(schema: Schema, path: string): Properties {
    const { source } = this;
    const { properties = {}, required = [], additionalProperties, unevaluatedProperties } = schema;
    if (!isObject(properties)) throw source.refusal(`${path}/properties`, "Expected an object of schemas.");
    if (!Array.isArray(required) || !required.every((name): name is string => typeof name === "string")) throw source.refusal(`${path}/required`, "Expected a list of names.");
    const rest = additionalProperties ?? unevaluatedProperties;
    const listed = Object.keys(properties).length === 0 && schema["patternProperties"] === undefined ? this.#listedNames(schema, path) : undefined;
    // Where names are listed, those are the properties there can be.
    if (listed !== undefined) return this.properties({ type: "object", required, properties: Object.fromEntries(listed.map((name) => [name, rest ?? true])), additionalProperties: false }, path);
    const names = Object.keys(properties);
    const extra = rest ?? names.length === 0;
    const named = names.map((name) => ({ name, schema: properties[name], isRequired: required.includes(name), path: `${path}/properties/${escaped(name)}` }));
    const long = [...names, ...required].find((name) => name.length > MAX_NAME);
    if (long !== undefined) throw source.refusal(`${path}/properties`, `Expected names of at most ${MAX_NAME} characters.`);
    const others = [...new Set(required)].filter((name) => !names.includes(name)).map((name) => ({ name, schema: rest ?? true, isRequired: true, path }));
    return { named: [...named, ...others], extra };
  }

  #listedNames({ propertyNames: names }: Schema, path: string): string[] | undefined {
    if (names === undefined) return undefined;
    const { schema } = this.source.followed(names, `${path}/propertyNames`);
    const listed = typeof schema === "boolean" ? undefined : "const" in schema ? [schema["const"]] : schema["enum"];
    return Array.isArray(listed) ? listed.filter((name): name is string => typeof name === "string") : undefined;
  }

  /** A schema without references and alternatives. */
  #plain(schema: Schema, path: string, depth: number): GrammarNode {
    if (assertionsOf(schema).length === 0) return this.#any;
    const types = typesOf(schema);
    const wrong = types.find((type) => !TYPES.includes(type));
    if (wrong !== undefined || types.length === 0) throw this.source.refusal(`${path}/type`, `Expected ${TYPES.map((type) => JSON.stringify(type)).join(", ")}, or a list of these.`);
    if ("enum" in schema || "const" in schema) return this.#constants(schema, types, path);
    return alt(...types.map((type) => this.#typed(type, schema, path, depth)));
  }

  #constants(schema: Schema, types: readonly Type[], path: string): GrammarNode {
    const keyword = "const" in schema ? "const" : "enum";
    const other = assertionsOf(schema).find((one) => !["enum", "const", "type"].includes(one));
    if (other !== undefined) throw this.source.unsupported(`${path}/${other}`, `beside ${keyword} it cannot be enforced. Leave it out, and the values that it forbids`);
    const listed = schema["enum"] ?? [schema["const"]];
    if (!Array.isArray(listed) || listed.length === 0) throw this.source.refusal(`${path}/enum`, "Expected a list of values.");
    const texts = listed.map((value) => JSON.stringify(value));
    const fits = (value: unknown): boolean => !("type" in schema) || types.includes(typeOf(value)) || (typeof value === "number" && types.includes("number"));
    const kept = listed.filter((value, i) => fits(value) && texts.indexOf(texts[i]!) === i && (!("const" in schema) || texts[i] === JSON.stringify(schema["const"])));
    return words(kept.map((value) => [this.notation.literal(value), EMPTY]));
  }

  #typed(type: Type, schema: Schema, path: string, depth: number): GrammarNode {
    switch (type) {
      case "null":
        return literal(this.notation.words.null);
      case "boolean":
        return alt(this.notation.words.true, this.notation.words.false);
      case "integer":
      case "number":
        return this.#number(type, schema, path);
      case "string":
        return quoted(stringContent(schema, this.source, path, this.notation.character));
      case "array":
        return bracketed("[", this.#items(schema, path, depth), "]");
      case "object":
        return bracketed("{", this.#entries(schema, path, depth), "}");
    }
  }

  #number(type: "integer" | "number", schema: Schema, path: string): GrammarNode {
    const bound = (keyword: string): number | undefined => {
      const value = schema[keyword];
      if (value !== undefined && typeof value !== "number") throw this.source.refusal(`${path}/${keyword}`, "Expected a number.");
      return value;
    };
    const [min = -Infinity, openMin = -Infinity] = [bound("minimum"), bound("exclusiveMinimum")];
    const [max = Infinity, openMax = Infinity] = [bound("maximum"), bound("exclusiveMaximum")];
    const bounds = { min: Math.max(min, openMin), max: Math.min(max, openMax), minIsOpen: openMin >= min && openMin > -Infinity, maxIsOpen: openMax <= max && openMax < Infinity };
    const multiple = bound("multipleOf");
    if (multiple === undefined || (multiple === 1 && type === "integer")) return type === "integer" ? integers(bounds) : numbers(bounds);
    if (type !== "integer" || !Number.isInteger(multiple) || multiple < 1) throw this.source.unsupported(`${path}/multipleOf`, "only multiples of whole numbers can be enforced, of an integer with a minimum and a maximum");
    const first = Math.ceil(bounds.min / multiple);
    const last = Math.floor(bounds.max / multiple);
    if (!(last - first < MAX_MULTIPLES)) throw this.source.unsupported(`${path}/multipleOf`, `it takes a minimum and a maximum with at most ${MAX_MULTIPLES} multiples between them`);
    const all = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * multiple + 0);
    return words(all.filter((value) => !(bounds.minIsOpen && value === bounds.min) && !(bounds.maxIsOpen && value === bounds.max)).map((value) => [String(value), EMPTY]));
  }

  #items(schema: Schema, path: string, depth: number): GrammarNode {
    const { source } = this;
    const min = sizeOf(schema, "minItems", source, path) ?? 0;
    const max = sizeOf(schema, "maxItems", source, path) ?? Infinity;
    if (schema["uniqueItems"] === true && max > 1) throw source.unsupported(`${path}/uniqueItems`, "that items differ cannot be enforced while they are written. Leave it out and check the answer yourself");
    // Before 2020 a list in `items` was what is `prefixItems` now.
    const isOld = Array.isArray(schema["items"]);
    const [prefix = [], rest] = isOld ? [schema["items"], schema["additionalItems"]] : [schema["prefixItems"], schema["items"] ?? schema["unevaluatedItems"]];
    if (!Array.isArray(prefix)) throw source.refusal(`${path}/prefixItems`, "Expected a list of schemas.");
    const firsts = prefix.map((one: unknown, i) => this.compile(one, `${path}/${isOld ? "items" : "prefixItems"}/${i}`, depth + 1));
    const item = this.compile(rest ?? prefix.length === 0, `${path}/${isOld ? "additionalItems" : "items"}`, depth + 1);
    if (firsts.length === 0) return list(item, COMMA, { min, max });
    const more = max > firsts.length ? repeat(seq(COMMA, item), Math.max(0, min - firsts.length), max - firsts.length) : EMPTY;
    let behind: GrammarNode = more;
    for (let i = Math.min(firsts.length, max) - 1; i >= 0; i--) {
      const here = seq(...(i > 0 ? [COMMA] : []), firsts[i]!, behind);
      behind = i < min ? here : optional(here);
    }
    return behind;
  }

  #entries(schema: Schema, path: string, depth: number): GrammarNode {
    const { named, extra } = this.properties(schema, path);
    const entry = (property: Property): GrammarNode => seq(literal(this.notation.literal(property.name)), COLON, this.compile(property.schema, property.path, depth + 1));
    const other = this.#otherEntry(schema, { named, extra }, path, depth);
    const count = this.#extraCount(schema, named, other !== NEVER, path);
    const behind = count.max === 0 ? EMPTY : repeat(seq(COMMA, other), count.min, count.max);
    return inOrder(named.map((property) => ({ node: entry(property), isRequired: property.isRequired })), COMMA, { behind, alone: list(other, COMMA, count) }); // prettier-ignore
  }

  /** How many properties that are not named there may be. A key may come twice, and the second is then the one that counts. */
  #extraCount(schema: Schema, named: readonly Property[], hasExtra: boolean, path: string): { min: number; max: number } {
    const min = sizeOf(schema, "minProperties", this.source, path) ?? 0;
    const max = sizeOf(schema, "maxProperties", this.source, path) ?? Infinity;
    const required = named.filter(({ isRequired }) => isRequired).length;
    if (min > required && !(named.length === 0 && hasExtra && min === 1)) throw this.source.unsupported(`${path}/minProperties`, "more properties than those required cannot be enforced. List them in required");
    const left = max - named.length;
    if (left < 0) throw this.source.unsupported(`${path}/maxProperties`, "fewer properties than those defined cannot be enforced");
    return { min: named.length === 0 ? min : 0, max: hasExtra ? left : 0 };
  }

  /** A property without a name of its own; `NEVER` where there is none. */
  #otherEntry(schema: Schema, { named, extra }: Properties, path: string, depth: number): GrammarNode {
    const patterns = schema["patternProperties"];
    if (patterns !== undefined) return this.#patternEntry(patterns, schema, named, path, depth);
    if (extra === false) return NEVER;
    return seq(this.#extraKey(schema, named, path), COLON, this.compile(extra, `${path}/additionalProperties`, depth + 1));
  }

  /** A key of one pattern and of no other, which is not all that is valid but always is. */
  #patternEntry(patterns: unknown, schema: Schema, named: readonly Property[], path: string, depth: number): GrammarNode {
    const at = `${path}/patternProperties`;
    if (!isObject(patterns)) throw this.source.refusal(at, "Expected an object of schemas.");
    if (named.length > 0 || schema["propertyNames"] !== undefined) throw this.source.unsupported(at, "beside properties it cannot be enforced");
    const keys = Object.keys(patterns);
    if (keys.length > MAX_PATTERNS) throw this.source.refusal(at, `Expected at most ${MAX_PATTERNS} patterns.`);
    const entries = keys.map((pattern) => {
      const others = keys.filter((other) => other !== pattern).map((other) => `^(?![^]*(?:${other}))`);
      const key = quoted(stringContent({ pattern: [pattern, ...others] }, this.source, `${at}/${escaped(pattern)}`, this.notation.character));
      return seq(key, COLON, this.compile(patterns[pattern], `${at}/${escaped(pattern)}`, depth + 1));
    });
    return alt(...entries);
  }

  /** A key that is none of those with a schema of their own. */
  #extraKey(schema: Schema, named: readonly Property[], path: string): GrammarNode {
    const names = schema["propertyNames"];
    if (names === undefined) return quoted(otherThan(named.map(({ name }) => name), this.notation.character)); // prettier-ignore
    const at = `${path}/propertyNames`;
    const { schema: rule, path: rulePath } = this.source.followed(names, at);
    if (typeof rule === "boolean" || isOnlyType(rule)) return rule === false ? NEVER : quoted(otherThan(named.map(({ name }) => name), this.notation.character)); // prettier-ignore
    if (named.length > 0) throw this.source.unsupported(at, "beside properties it cannot be enforced");
    return alt(...alternatives(this.source, { ...rule, type: "string" }, rulePath).map((one) => this.#plain(one, rulePath, 0)));
  }
}

/** Whether a rule of names says no more than that they are strings, which they are. */
function isOnlyType(rule: Schema): boolean {
  return assertionsOf(rule).every((keyword) => keyword === "type" && rule["type"] === "string");
}

/** Entries in their order, those that are not required left out at times, with separators between; and what may come behind them or alone. */
export function inOrder(entries: readonly { node: GrammarNode; isRequired: boolean }[], separator: GrammarNode | string, { behind = EMPTY, alone = EMPTY } = {}): GrammarNode {
  let [next, first] = [behind, alone];
  for (const { node, isRequired } of [...entries].reverse()) {
    const [here, begun] = [seq(separator, node, next), seq(node, next)];
    [next, first] = isRequired ? [here, begun] : [alt(here, next), alt(begun, first)];
  }
  return first;
}

/** Any text but these. */
function otherThan(texts: readonly string[], character: Spelling, anything = repeat(character(ANY), 0)): GrammarNode {
  if (texts.length === 0) return anything;
  const tails = new Map<number, string[]>();
  for (const text of texts) {
    const head = text.codePointAt(0);
    if (head !== undefined) tails.set(head, [...(tails.get(head) ?? []), text.slice(String.fromCodePoint(head).length)]);
  }
  const known = [...tails.keys()].sort((a, b) => a - b).map((head) => [head, head] as const);
  const longer = [...tails].map(([head, rest]) => seq(character([[head, head]]), otherThan(rest, character, anything)));
  return alt(...(texts.includes("") ? [] : [EMPTY]), seq(character(inverse(known)), anything), ...longer);
}

function typeOf(value: unknown): Type {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (Number.isInteger(value)) return "integer";
  return typeof value as Type;
}
