import * as library from "@huggingface/jinja";

/** A value of the library's interpreter. */
export interface Value {
  readonly type: string;
  readonly value: unknown;
  toString(): string;
}

/** Variables of one scope. */
export interface Scope {
  readonly variables: Map<string, Value>;
  /** Declares a variable, converting it from a plain JavaScript value or function. */
  set(name: string, value: unknown): Value;
}

/** A node of a parsed template. */
export interface Node {
  type: string;
  [field: string]: unknown;
}

export type ValueFunction = (args: Value[]) => Value;

// The library's own declarations import without file extensions, which Node's module resolution cannot follow.
const { Environment, Interpreter, parse, tokenize } = library as unknown as {
  Environment: new () => Scope;
  Interpreter: new (scope: Scope) => { run(program: Node): Value };
  parse: (tokens: unknown) => Node;
  tokenize: (source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }) => unknown;
};

type Constructor<T> = new (value: T) => Value;

const FunctionValue = toValue(() => null).constructor as Constructor<ValueFunction>;
const ArrayValue = toValue([]).constructor as Constructor<readonly Value[]>;

/** A plain JavaScript value as the interpreter holds it. */
export function toValue(value: unknown): Value {
  return new Environment().set("value", value);
}

export function listOf(values: readonly Value[]): Value {
  return new ArrayValue(values);
}

/** A function that is handed the interpreter's own values, with their types. */
export function functionOf(run: ValueFunction): Value {
  return new FunctionValue(run);
}

/** @throws Error when the text is no template. */
export function parseTemplate(source: string): Node {
  return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
}

export function newScope(): Scope {
  return new Environment();
}

export function runProgram(program: Node, scope: Scope): string {
  return String(new Interpreter(scope).run(program).value);
}
