import { pythonStr, strip } from "./python-text.js";
import { listOf, toValue, type Value, type ValueFunction } from "./runtime.js";

type Test = (value: Value, other: Value | undefined) => boolean;

/** Tests by name, for filters that take one as an argument. */
const TESTS: Readonly<Record<string, Test>> = {
  defined: (value) => value.type !== "UndefinedValue",
  undefined: (value) => value.type === "UndefinedValue",
  none: (value) => value.type === "NullValue",
  string: (value) => value.type === "StringValue",
  mapping: (value) => value.type === "ObjectValue",
  iterable: isIterable,
  boolean: (value) => value.type === "BooleanValue",
  number: (value) => ["IntegerValue", "FloatValue", "BooleanValue"].includes(value.type),
  truthy: isTruthy,
  eq: isEqual,
  equalto: isEqual,
  "==": isEqual,
  ne: (value, other) => !isEqual(value, other),
  "!=": (value, other) => !isEqual(value, other),
  in: (value, list) => itemsOf(list).some((one) => isEqual(value, one)),
};

/**
 * What the library does otherwise than Python, or not at all. A template's use of each is turned into a call of it (`as-python.ts`); the names
 * hold a space, which no template's own names can.
 */
export const PYTHON_FUNCTIONS: Readonly<Record<string, ValueFunction>> = {
  "print value": ([value]) => toValue(pythonStr(value!)),
  "concatenate ~": ([left, right]) => toValue(pythonStr(left!) + pythonStr(right!)),
  "iterate for": ([value]) => (value!.type === "StringValue" || value!.type === "UndefinedValue" ? listOf(itemsOf(value)) : value!),
  "test iterable": ([value]) => toValue(isIterable(value!)),
  "filter string": ([value]) => toValue(pythonStr(value!)),
  "filter trim": ([value, characters]) => toValue(strip(pythonStr(value!), "both", textOf(characters))),
  "filter join": ([value, separator]) => toValue(itemsOf(value).map(pythonStr).join(textOf(separator) ?? "")),
  "filter select": ([list, name, other]) => listOf(itemsOf(list).filter((one) => passes(one, name, other))),
  "filter reject": ([list, name, other]) => listOf(itemsOf(list).filter((one) => !passes(one, name, other))),
  "filter selectattr": ([list, path, name, other]) => listOf(itemsOf(list).filter((one) => passes(attribute(one, path), name, other))),
  "filter rejectattr": ([list, path, name, other]) => listOf(itemsOf(list).filter((one) => !passes(attribute(one, path), name, other))),
  "method strip": ([value, characters]) => toValue(strip(pythonStr(value!), "both", textOf(characters))),
  "method lstrip": ([value, characters]) => toValue(strip(pythonStr(value!), "left", textOf(characters))),
  "method rstrip": ([value, characters]) => toValue(strip(pythonStr(value!), "right", textOf(characters))),
  "method rsplit": ([value, separator, most]) => toValue(rsplit(pythonStr(value!), textOf(separator), most)),
};

function passes(value: Value, name: Value | undefined, other: Value | undefined): boolean {
  const test = TESTS[textOf(name) ?? "truthy"];
  if (test === undefined) throw new Error(`Unknown test: ${textOf(name)}`);
  return test(value, other);
}

function attribute(value: Value, path: Value | undefined): Value {
  return (textOf(path) ?? "").split(".").reduce((inner, key) => (inner.value instanceof Map ? (inner.value as Map<string, Value>).get(key) : undefined) ?? toValue(undefined), value);
}

function isIterable(value: Value): boolean {
  return value.type === "StringValue" || value.type === "UndefinedValue" || Array.isArray(value.value) || value.value instanceof Map;
}

function isTruthy({ value }: Value): boolean {
  return Array.isArray(value) ? value.length > 0 : value instanceof Map ? value.size > 0 : Boolean(value);
}

function isEqual(value: Value, other: Value | undefined): boolean {
  if (other === undefined) return false;
  if (Array.isArray(value.value) || value.value instanceof Map) return value.type === other.type && pythonStr(value) === pythonStr(other);
  return value.value === other.value;
}

function itemsOf(value: Value | undefined): Value[] {
  if (value === undefined || value.type === "UndefinedValue") return [];
  if (Array.isArray(value.value)) return value.value as Value[];
  if (value.value instanceof Map) return [...value.value.keys()].map(toValue);
  if (value.type === "StringValue") return [...String(value.value)].map(toValue);
  throw new Error(`Expected something to iterate over but received ${pythonStr(value)}`);
}

function textOf(value: Value | undefined): string | undefined {
  return value === undefined || value.type === "NullValue" || value.type === "KeywordArgumentsValue" ? undefined : pythonStr(value);
}

function rsplit(text: string, separator: string | undefined, most: Value | undefined): string[] {
  const parts = separator === undefined ? text.split(/\s+/).filter((part) => part !== "") : text.split(separator);
  const limit = typeof most?.value === "number" && most.value >= 0 ? most.value : parts.length;
  const kept = Math.max(parts.length - limit, 1);
  return [parts.slice(0, kept).join(separator ?? " "), ...parts.slice(kept)];
}
