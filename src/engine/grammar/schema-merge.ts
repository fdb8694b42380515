import { assertionsOf, isObject, type Schema, type SchemaSource, type Type } from "./schema-source.js";

/** Alternatives that alternatives of alternatives may become. */
const MAX_BRANCHES = 64;
/** References and `allOf` within each other. */
const MAX_DEPTH = 32;

const LARGER = new Set(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"]);
const SMALLER = new Set(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"]);

/**
 * The same schema without `$ref`, `allOf`, `anyOf` and `oneOf` at its top: a list of alternatives, each of which says everything itself.
 * @throws DeskhandError where two parts cannot be said as one.
 */
export function alternatives(source: SchemaSource, value: unknown, path: string, depth = 0): Schema[] {
  if (depth > MAX_DEPTH) throw source.refusal(path, "Expected references and allOf that come to an end but they lead into each other.");
  const schema = source.check(value, path);
  if (typeof schema === "boolean") return schema ? [{}] : [];
  const { $ref, allOf, anyOf, oneOf, ...own } = schema as Record<string, unknown>;
  let all: Schema[] = [own];
  const and = (others: readonly Schema[], at: string): void => {
    all = all.flatMap((one) => others.flatMap((other): Schema[] => { const both = merged(source, one, other, at); return both === undefined ? [] : [both]; }));
    if (all.length > MAX_BRANCHES) throw source.unsupported(at, `together with what stands beside it, it makes more than ${MAX_BRANCHES} alternatives`);
  };
  const each = (part: unknown, keyword: string): Schema[][] => {
    if (!Array.isArray(part) || part.length === 0) throw source.refusal(`${path}/${keyword}`, "Expected a list of schemas.");
    return part.map((one: unknown, i): Schema[] => alternatives(source, one, `${path}/${keyword}/${i}`, depth + 1));
  };
  if ($ref !== undefined) {
    const target = source.resolve($ref, path);
    and(alternatives(source, target.schema, target.path, depth + 1), `${path}/$ref`);
  }
  if (allOf !== undefined) each(allOf, "allOf").forEach((one, i) => and(one, `${path}/allOf/${i}`));
  if (anyOf !== undefined) and(each(anyOf, "anyOf").flat(), `${path}/anyOf`);
  if (oneOf !== undefined) {
    const branches = each(oneOf, "oneOf");
    for (const [i, branch] of branches.entries()) {
      const clash = branches.slice(i + 1).findIndex((other) => !branch.every((a) => other.every((b) => areApart(source, a, b))));
      if (clash !== -1) throw source.unsupported(`${path}/oneOf`, `a value could fit both entry ${i} and entry ${i + 1 + clash}. Use anyOf, or tell them apart by their types or by a required property with a const`);
    }
    and(branches.flat(), `${path}/oneOf`);
  }
  return all.map(evaluated);
}

/** Seen from outside, what a schema says of the unevaluated it says of all that it does not name itself. */
function evaluated({ unevaluatedProperties, unevaluatedItems, ...schema }: Schema): Schema {
  const rest = Array.isArray(schema["items"]) ? "additionalItems" : "items";
  return {
    ...schema,
    ...(unevaluatedProperties !== undefined && schema["additionalProperties"] === undefined && { additionalProperties: unevaluatedProperties }),
    ...(unevaluatedItems !== undefined && schema[rest] === undefined && { [rest]: unevaluatedItems }),
  };
}

/** Both at once; `undefined` where no value can be both. */
function merged(source: SchemaSource, a: Schema, b: Schema, path: string): Schema | undefined {
  const result: Record<string, unknown> = { ...a };
  for (const keyword of assertionsOf(b)) {
    const [left, right] = [a[keyword], b[keyword]];
    if (left === undefined || JSON.stringify(left) === JSON.stringify(right)) result[keyword] = right;
    else if (keyword === "type") result[keyword] = commonTypes(listOf(left), listOf(right));
    else if (keyword === "enum" && Array.isArray(left) && Array.isArray(right)) result[keyword] = left.filter((value) => right.some((other) => JSON.stringify(other) === JSON.stringify(value)));
    else if (keyword === "const") return undefined;
    else if (keyword === "required") result[keyword] = [...new Set([...listOf(left), ...listOf(right)])];
    else if (typeof left === "number" && typeof right === "number" && LARGER.has(keyword)) result[keyword] = Math.max(left, right);
    else if (typeof left === "number" && typeof right === "number" && SMALLER.has(keyword)) result[keyword] = Math.min(left, right);
    else if (keyword === "pattern") result[keyword] = [...new Set([...listOf(left), ...listOf(right)])];
    else if (["additionalProperties", "propertyNames"].includes(keyword)) result[keyword] = { allOf: [left, right] };
    else if (keyword !== "properties" && !ITEMS.includes(keyword)) throw source.unsupported(path, `${JSON.stringify(keyword)} is said twice and differently, which cannot be enforced as one`);
  }
  const properties = bothProperties(a, b);
  if (properties !== undefined) result["properties"] = properties;
  const items = bothItems(a, b);
  if (items !== undefined) {
    for (const keyword of ITEMS) delete result[keyword];
    Object.assign(result, items);
  }
  const types = result["type"];
  return Array.isArray(types) && types.length === 0 ? undefined : result;
}

/** Properties of either, each as both want it. */
function bothProperties(a: Schema, b: Schema): Schema | undefined {
  const [left, right] = [a["properties"], b["properties"]];
  if (!isObject(left) && !isObject(right)) return undefined;
  const wanted = (schema: Schema, name: string): unknown[] => {
    const own = schema["properties"];
    if (isObject(own) && Object.hasOwn(own, name)) return [own[name]];
    return schema["additionalProperties"] === undefined ? [] : [schema["additionalProperties"]];
  };
  const names = new Set([left, right].flatMap((own) => (isObject(own) ? Object.keys(own) : [])));
  return Object.fromEntries(
    [...names].map((name) => {
      const parts = [...wanted(a, name), ...wanted(b, name)];
      return [name, parts.length === 1 ? parts[0] : { allOf: parts }];
    }),
  );
}

const ITEMS = ["prefixItems", "items", "additionalItems"];

/** Items of either, each as both want it; `undefined` where no more than one says anything of them. */
function bothItems(a: Schema, b: Schema): Schema | undefined {
  if ([a, b].some((schema) => ITEMS.every((keyword) => schema[keyword] === undefined))) return undefined;
  const parts = [a, b].map((schema) => {
    const isOld = Array.isArray(schema["items"]);
    const first = listOf((isOld ? schema["items"] : schema["prefixItems"]) ?? []);
    return { first, rest: isOld ? schema["additionalItems"] : schema["items"] };
  });
  const both = (wanted: readonly unknown[]): unknown => {
    const said = wanted.filter((one) => one !== undefined);
    return said.length > 1 ? { allOf: said } : said[0];
  };
  const length = Math.max(...parts.map(({ first }) => first.length));
  const prefixItems = Array.from({ length }, (_, i) => both(parts.map(({ first, rest }) => (i < first.length ? first[i] : rest))) ?? true);
  const items = both(parts.map(({ rest }) => rest));
  return { ...(length > 0 && { prefixItems }), ...(items !== undefined && { items }) };
}

function commonTypes(a: readonly unknown[], b: readonly unknown[]): Type[] {
  const fits = (type: unknown, types: readonly unknown[]): boolean => types.includes(type) || (type === "integer" && types.includes("number"));
  return [...new Set([...a.filter((type) => fits(type, b)), ...b.filter((type) => fits(type, a))])] as Type[];
}

/** Whether no value fits both, as far as types, constants and the constants of required properties tell. */
function areApart(source: SchemaSource, a: Schema, b: Schema, depth = 0): boolean {
  const [left, right] = [valuesOf(a), valuesOf(b)];
  if (left !== undefined && right !== undefined && !left.some((value) => right.includes(value))) return true;
  const [types, others] = [a["type"], b["type"]];
  if (types !== undefined && others !== undefined && commonTypes(listOf(types), listOf(others)).length === 0) return true;
  const shared = listOf(a["required"] ?? []).filter((name): name is string => typeof name === "string" && listOf(b["required"] ?? []).includes(name));
  return depth === 0 && types === "object" && others === "object" && shared.some((name) => areApart(source, propertyOf(source, a, name), propertyOf(source, b, name), 1));
}

function propertyOf(source: SchemaSource, { properties }: Schema, name: string): Schema {
  const value = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : {};
  const { schema } = source.followed(value, "");
  return typeof schema === "boolean" ? {} : schema;
}

function valuesOf(schema: Schema): string[] | undefined {
  if ("const" in schema) return [JSON.stringify(schema["const"])];
  return Array.isArray(schema["enum"]) ? schema["enum"].map((value) => JSON.stringify(value)) : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value];
}
