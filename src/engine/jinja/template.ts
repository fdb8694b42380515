import { asPython } from "./as-python.js";
import { PYTHON_FUNCTIONS } from "./python-functions.js";
import { functionOf, newScope, parseTemplate, runProgram, type Node } from "./runtime.js";
import { strftime } from "./strftime.js";

/** Thrown by a template itself (`raise_exception`): the request is at fault, not the template. */
export class RaisedByTemplate extends Error {}

const FUNCTIONS = Object.entries(PYTHON_FUNCTIONS).map(([name, run]) => [name, functionOf(run)] as const);

/** What transformers gives a template beside the variables of a rendering. */
const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range,
  strftime_now: (format: unknown) => strftime(new Date(), String(format)),
  raise_exception: (message: unknown): never => {
    throw new RaisedByTemplate(String(message));
  },
};

/**
 * A Jinja template, rendered as jinja2 renders it with transformers' settings. The library parses and runs it; where it differs from Python
 * (`None` and `True` printed, lists and objects as text, filters it lacks), our own functions stand in.
 */
export class JinjaTemplate {
  readonly #program: Node;

  /** @throws Error when the source is no template. */
  constructor(source: string) {
    this.#program = asPython(parseTemplate(source));
  }

  /** @throws RaisedByTemplate, and Error when the template fails. */
  render(variables: Readonly<Record<string, unknown>>): string {
    const scope = newScope();
    for (const [name, value] of Object.entries({ ...GLOBALS, ...variables })) scope.set(name, value);
    for (const [name, value] of FUNCTIONS) scope.variables.set(name, value);
    return runProgram(this.#program, scope);
  }
}

function range(first: number, end?: number, step = 1): number[] {
  const [from, to] = end === undefined ? [0, first] : [first, end];
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, index) => from + index * step);
}
