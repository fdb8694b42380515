import { DeskhandError } from "../../core/errors.js";

export type Schema = Readonly<Record<string, unknown>>;

export const TYPES = ["null", "boolean", "number", "integer", "string", "array", "object"] as const;
export type Type = (typeof TYPES)[number];

/** Keywords that say nothing about which values are valid. */
const ANNOTATIONS = new Set(["title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "$comment", "$defs", "definitions", "discriminator", "contentEncoding", "contentMediaType"]);

/** Keywords that are enforced, and the types whose values they are about. */
const ENFORCED: Readonly<Record<string, readonly Type[]>> = {
  $ref: [],
  allOf: [],
  anyOf: [],
  oneOf: [],
  type: [],
  enum: [],
  const: [],
  properties: ["object"],
  required: ["object"],
  additionalProperties: ["object"],
  unevaluatedProperties: ["object"],
  patternProperties: ["object"],
  propertyNames: ["object"],
  minProperties: ["object"],
  maxProperties: ["object"],
  items: ["array"],
  prefixItems: ["array"],
  additionalItems: ["array"],
  unevaluatedItems: ["array"],
  minItems: ["array"],
  maxItems: ["array"],
  uniqueItems: ["array"],
  minLength: ["string"],
  maxLength: ["string"],
  pattern: ["string"],
  format: ["string"],
  minimum: ["number"],
  maximum: ["number"],
  exclusiveMinimum: ["number"],
  exclusiveMaximum: ["number"],
  multipleOf: ["number"],
};

/** How deep references may lead before something other than a reference has to come, and alternatives within alternatives. */
const MAX_LINKS = 32;
const MAX_CHARACTERS = 256 * 1024;

/** The schema of a request: finds what it refers to, and refuses what cannot be enforced, by its path. */
export class SchemaSource {
  /** @param name what the request calls it: every path begins with it. */
  constructor(
    private readonly root: unknown,
    readonly name: string,
  ) {
    if (!isSmall(root)) throw this.refusal("", `Expected a schema of at most ${MAX_CHARACTERS} characters, nested no deeper than anyone can read.`);
  }

  /** The schema at a path, its keywords checked. */
  check(value: unknown, path: string): Schema | boolean {
    if (typeof value === "boolean") return value;
    if (!isObject(value)) throw this.refusal(path, `Expected a schema: an object, true or false.`);
    for (const [keyword, content] of Object.entries(value)) {
      if (ANNOTATIONS.has(keyword) || content === undefined) continue;
      if (!Object.hasOwn(ENFORCED, keyword)) throw this.unsupported(`${path}/${escaped(keyword)}`, `the keyword ${JSON.stringify(keyword)} cannot be enforced while the answer is written. Leave it out and check the answer yourself`);
    }
    const { pattern } = value;
    if (pattern !== undefined && typeof pattern !== "string") throw this.refusal(`${path}/pattern`, "Expected a regular expression as a string.");
    return value;
  }

  /** What `$ref` points to, and where that is. */
  resolve(ref: unknown, path: string): { schema: unknown; path: string } {
    if (typeof ref !== "string" || !/^#(\/|$)/.test(ref)) throw this.unsupported(`${path}/$ref`, `only references into the schema itself are followed, such as "#/$defs/name"`);
    let schema: unknown = this.root;
    for (const part of ref.slice(1).split("/").slice(1)) {
      const key = unescaped(part);
      if (typeof schema !== "object" || schema === null || key === undefined || !Object.hasOwn(schema, key)) throw this.refusal(`${path}/$ref`, `Expected a reference to something in the schema but nothing is at ${JSON.stringify(ref)}.`);
      schema = (schema as Schema)[key];
    }
    return { schema, path: ref.slice(1) };
  }

  /** Follows references that stand alone. */
  followed(value: unknown, path: string, links = 0): { schema: Schema | boolean; path: string } {
    const schema = this.check(value, path);
    if (typeof schema === "boolean" || !isOnlyReference(schema)) return { schema, path };
    if (links > MAX_LINKS) throw this.refusal(path, "Expected a reference that leads to a schema but it leads to itself.");
    const target = this.resolve(schema["$ref"], path);
    return this.followed(target.schema, target.path, links + 1);
  }

  refusal(path: string, message: string): DeskhandError {
    return new DeskhandError("invalid_argument", `${this.name}${path}: ${message}`, { param: this.name + path });
  }

  /** @param why ends without a full stop. */
  unsupported(path: string, why: string): DeskhandError {
    return new DeskhandError("unsupported_input", `${this.name}${path}: ${why}.`, { param: this.name + path });
  }
}

function isSmall(schema: unknown): boolean {
  try {
    return JSON.stringify(schema).length <= MAX_CHARACTERS;
  } catch {
    // Thousands of levels: more than the stack holds.
    return false;
  }
}

/** The types a schema speaks of; where it does not say, those that its keywords are about. */
export function typesOf(schema: Schema): Type[] {
  const given = schema["type"];
  if (given !== undefined) return (Array.isArray(given) ? given : [given]) as Type[];
  const meant = new Set(Object.keys(schema).flatMap((keyword) => ENFORCED[keyword] ?? []));
  return meant.size > 0 ? [...meant] : TYPES.filter((type) => type !== "integer");
}

/** Whether nothing is said about the values beside a reference. */
export function isOnlyReference(schema: Schema): boolean {
  return "$ref" in schema && assertionsOf(schema).length === 1;
}

export function assertionsOf(schema: Schema): string[] {
  return Object.keys(schema).filter((keyword) => !ANNOTATIONS.has(keyword) && schema[keyword] !== undefined);
}

export function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A key as part of a path (RFC 6901). */
export function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function unescaped(part: string): string | undefined {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return undefined;
  }
}
