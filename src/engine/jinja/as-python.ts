import { PYTHON_FUNCTIONS } from "./python-functions.js";
import type { Node } from "./runtime.js";

const EXPRESSIONS = new Set([
  "ArrayLiteral",
  "BinaryExpression",
  "CallExpression",
  "FilterExpression",
  "FloatLiteral",
  "Identifier",
  "IntegerLiteral",
  "MemberExpression",
  "ObjectLiteral",
  "SelectExpression",
  "Ternary",
  "TestExpression",
  "TupleLiteral",
  "UnaryExpression",
]);

/** Fields that hold what a template prints: text, expressions, statements. */
const PRINTED = ["body", "alternate", "defaultBlock"];

/** A parsed template in which everything of `PYTHON_FUNCTIONS` is a call of it. The nodes are changed in place. */
export function asPython<T>(tree: T): T {
  if (Array.isArray(tree)) {
    for (let i = 0; i < tree.length; i++) tree[i] = asPython<unknown>(tree[i]);
    return tree;
  }
  if (tree instanceof Map) {
    // Entries of a literal `{…}`.
    const entries = [...tree].map(([key, value]) => [asPython<unknown>(key), asPython<unknown>(value)] as const);
    tree.clear();
    for (const [key, value] of entries) tree.set(key, value);
    return tree;
  }
  return isNode(tree) ? (rewritten(withPrinted(tree)) as T) : tree;
}

function withPrinted(node: Node): Node {
  for (const field of Object.keys(node)) node[field] = asPython(node[field]);
  for (const field of PRINTED) {
    const printed = node[field];
    if (Array.isArray(printed)) node[field] = printed.map((one: unknown) => (isNode(one) && EXPRESSIONS.has(one.type) ? call("print value", one) : one));
  }
  return node;
}

function rewritten(node: Node): Node {
  if (node.type === "BinaryExpression" && isOperator(node["operator"], "~")) return call("concatenate ~", node["left"], node["right"]);
  if (node.type === "TestExpression" && nameOf(node["test"]) === "iterable") {
    const test = call("test iterable", node["operand"]);
    return node["negate"] === true ? { type: "UnaryExpression", operator: { value: "not" }, argument: test } : test;
  }
  if (node.type === "FilterExpression") {
    const filter = node["filter"] as Node;
    const [name, args] = filter.type === "CallExpression" ? [nameOf(filter["callee"]), filter["args"] as unknown[]] : [nameOf(filter), []];
    return isKnown(`filter ${name}`) ? call(`filter ${name}`, node["operand"], ...args) : node;
  }
  if (node.type === "CallExpression") {
    const callee = node["callee"] as Node;
    const name = callee.type === "MemberExpression" && callee["computed"] !== true ? `method ${nameOf(callee["property"])}` : "";
    return isKnown(name) ? call(name, callee["object"], ...(node["args"] as unknown[])) : node;
  }
  if (node.type === "For") {
    const iterable = node["iterable"] as Node;
    if (iterable.type === "SelectExpression") iterable["lhs"] = call("iterate for", iterable["lhs"]);
    else node["iterable"] = call("iterate for", iterable);
  }
  return node;
}

function call(name: string, ...args: unknown[]): Node {
  return { type: "CallExpression", callee: { type: "Identifier", value: name }, args };
}

function isKnown(name: string): boolean {
  return Object.hasOwn(PYTHON_FUNCTIONS, name);
}

function nameOf(node: unknown): string {
  return isNode(node) && node.type === "Identifier" ? String(node["value"]) : "";
}

function isOperator(token: unknown, operator: string): boolean {
  return typeof token === "object" && token !== null && "value" in token && token.value === operator;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
