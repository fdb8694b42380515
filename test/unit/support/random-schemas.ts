type Schema = Record<string, unknown>;

/** Numbers from a seed (mulberry32), so that a case that fails can be run again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)] as T;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }
}

const NAMES = ["x", "xy", "name", "city", "größe", "a b", 'quote"d', "名前", "$ref", "null", "count"];
const PATTERNS = ["^[a-c]{1,3}$", "^(foo|ba[rz])$", "^\\d{3}-\\d{2}$", "^[^a-z]{2,4}$", '^["\\\\<]x?$', "^\\w+é?$", "^.{2}$", "^[\\u{1F600}-\\u{1F64F}]$", "b{2}"];

/** A schema of kinds that can be enforced; strings and lists are short, so that noise gets to their end. */
export function randomSchema(random: Random, depth = 3): Schema {
  const leaf = depth <= 0;
  const kinds = ["integer", "number", "string", "pattern", "enum", "const", "boolean", "null", "types", ...(leaf ? [] : ["object", "object", "array", "tuple", "anyOf", "map", "allOf", "ref"])];
  const nested = (): Schema => randomSchema(random, depth - 1);
  switch (random.pick(kinds)) {
    case "integer":
      return { type: "integer", ...bounds(random, (value) => Math.round(value)) };
    case "number":
      return { type: "number", ...bounds(random, (value) => Number(value.toFixed(random.int(0, 4)))) };
    case "string": {
      const min = random.int(0, 4);
      return { type: "string", minLength: min, maxLength: min + random.int(0, 8) };
    }
    case "pattern":
      return { type: "string", pattern: random.pick(PATTERNS) };
    case "enum":
      return { enum: Array.from({ length: random.int(1, 4) }, () => random.pick(["a", "ab", "ü", 'q"', 1, -2.5, 0, null, true, { k: [1] }, [], ""])) };
    case "const":
      return { const: random.pick(["only", 7, null, false]) };
    case "boolean":
      return { type: "boolean" };
    case "null":
      return { type: "null" };
    case "types":
      return { type: random.pick([["integer", "null"], ["boolean", "string", "null"], ["number", "boolean"]]), maxLength: 5 };
    case "array": {
      const min = random.int(0, 2);
      return { type: "array", items: nested(), minItems: min, maxItems: min + random.int(0, 2) };
    }
    case "tuple":
      return { type: "array", prefixItems: [nested(), nested()], minItems: random.int(0, 2), items: random.pick([false, { type: "boolean" }]), maxItems: random.int(2, 3) };
    case "anyOf":
      return { anyOf: [nested(), nested()] };
    case "map":
      return { type: "object", additionalProperties: nested(), maxProperties: random.int(1, 2), propertyNames: { pattern: "^[a-z]{1,4}$" } };
    case "allOf":
      return { allOf: [{ ...randomObject(random, depth), additionalProperties: undefined }, { required: ["extra"], properties: { extra: { type: "boolean" } } }] };
    case "ref":
      return { $ref: "#/$defs/shared" };
    default:
      return randomObject(random, depth);
  }
}

/** An object at the top, and what the references in it mean, one of which is itself. */
export function randomRoot(random: Random, names: readonly string[] = NAMES): Schema {
  const shared = { type: "object", properties: { value: { type: "integer", minimum: 0, maximum: 9 }, next: { anyOf: [{ $ref: "#/$defs/shared" }, { type: "null" }] } }, required: ["value"], additionalProperties: false };
  return { ...randomObject(random, 3, names), $defs: { shared } };
}

function randomObject(random: Random, depth: number, names: readonly string[] = NAMES): Schema {
  const chosen = [...new Set(Array.from({ length: random.int(0, 4) }, () => random.pick(names)))];
  const properties = Object.fromEntries(chosen.map((name) => [name, randomSchema(random, depth - 1)]));
  const isClosed = chosen.length > 0 && random.chance(0.5);
  return { type: "object", properties, required: chosen.filter(() => random.chance(0.6)), ...(isClosed || chosen.length === 0 ? { additionalProperties: false } : {}) };
}

function bounds(random: Random, rounded: (value: number) => number): Schema {
  const low = rounded((random.next() - 0.5) * 10 ** random.int(0, 6));
  const high = low + Math.abs(rounded(random.next() * 10 ** random.int(1, 5)));
  const [min, max] = [random.chance(0.7), random.chance(0.7)];
  return { ...(min ? { [random.chance(0.3) && high - low > 2 ? "exclusiveMinimum" : "minimum"]: low } : {}), ...(max ? { [random.chance(0.3) && high - low > 2 ? "exclusiveMaximum" : "maximum"]: high } : {}) };
}
