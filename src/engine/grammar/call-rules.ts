import { DeskhandError } from "../../core/errors.js";
import type { ToolDefinition } from "../messages.js";
import { pythonLiteral } from "../tools/python-calls.js";
import { writtenTypes } from "../tools/schema-values.js";
import { ANY, jsonCharacter, plainCharacter, without } from "./characters.js";
import { freeText } from "./free-text.js";
import { alt, bytes, EMPTY, list, literal, NEVER, repeat, seq, words, type GrammarNode } from "./node.js";
import { JSON_NOTATION, type Notation } from "./notation.js";
import { inOrder, SchemaCompiler, type Properties } from "./schema.js";
import { alternatives } from "./schema-merge.js";
import { assertionsOf, isObject, SchemaSource, typesOf, type Schema } from "./schema-source.js";
import { stringContent } from "./string-schema.js";

const PYTHON: Notation = { words: { null: "None", true: "True", false: "False" }, character: jsonCharacter, literal: pythonLiteral };
const IDENTIFIER = /^[A-Za-z_][\w-]*$/;
const NO_PARAMETERS: Schema = { type: "object", additionalProperties: false };
const ANY_OBJECT: Schema = { type: "object" };

/** How values stand between marks, as they are. */
export interface RawSyntax {
  /** One parameter: what stands before its value, what ends it, and what comes after. */
  parameter(key: GrammarNode): { before: GrammarNode; behind: string; after: string };
  /** Marks that no value may hold, because they would end it. */
  ends: readonly string[];
}

/** Functions that may be called, and how their arguments are written. */
export interface CallRules {
  /** Calls one after the other, or one where there may be no more. */
  row: (call: GrammarNode, separator: GrammarNode | string) => GrammarNode;
  /** One of the functions. */
  each: (write: (tool: CallableTool) => GrammarNode) => GrammarNode;
}

/** A block of calls that begins with a mark. */
export interface CallBlock {
  /** Empty for a block that stands where the answer begins. */
  opening: string;
  rest: GrammarNode;
  /** The characters such a block begins with: text does not, then. */
  firstCharacters?: string;
  /** What stands between blocks where several may follow each other; without it a block holds all calls. */
  separator?: string;
}

export interface CallRulesOptions {
  tools: readonly ToolDefinition[];
  /** Whether the arguments of this function have to be valid by its schema. */
  isStrict: (tool: ToolDefinition) => boolean;
  /** Several calls in one answer. */
  parallel: boolean;
  /** How the request calls the schema of a function's arguments, for errors. */
  nameOf: (tool: ToolDefinition) => string;
}

export function callRules({ tools, isStrict, parallel, nameOf }: CallRulesOptions): CallRules {
  const callable = tools.map((tool) => new CallableTool(tool.name, isStrict(tool) ? (tool.parameters ?? NO_PARAMETERS) : ANY_OBJECT, nameOf(tool)));
  return {
    row: (call, separator) => (parallel ? list(call, separator) : call),
    each: (write) => alt(...callable.map(write)),
  };
}

/** Whether a function's name can be written in every format, and told from what stands around it. */
export function isCallableName(name: string): boolean {
  return /^[\w.-]+$/.test(name);
}

export class CallableTool {
  readonly #source: SchemaSource;

  constructor(
    readonly name: string,
    private readonly schema: Schema,
    path: string,
  ) {
    if (!isCallableName(name)) throw new DeskhandError("unsupported_input", `Expected a function's name of letters, digits and _ . - for calls that are constrained but received ${JSON.stringify(name)}.`, { param: path });
    this.#source = new SchemaSource(schema, path);
  }

  /** `{"a": 1}` */
  json(): GrammarNode {
    const compiler = new SchemaCompiler(this.#source, JSON_NOTATION);
    return alt(...compiler.objects(this.schema).map((one) => compiler.compile(one)));
  }

  /** `a=1, b="x"` in Python. */
  keywords(): GrammarNode {
    const compiler = new SchemaCompiler(this.#source, PYTHON);
    const entries = compiler.objects(this.schema).map((schema) => {
      const { named, extra } = this.#properties(compiler, schema);
      const write = (key: GrammarNode, value: unknown, path: string): GrammarNode => seq(key, "=", compiler.compile(value, path));
      const other = extra === false ? NEVER : write(identifier(), extra, "/additionalProperties");
      return inOrder(
        named.map(({ name, schema: value, isRequired, path }) => {
          if (!IDENTIFIER.test(name)) throw this.#source.unsupported(path, "this model writes calls in Python, where a parameter's name has letters, digits, _ and - only");
          return { node: write(literal(name), value, path), isRequired };
        }),
        ", ",
        { behind: extra === false ? EMPTY : repeat(seq(", ", other), 0), alone: extra === false ? EMPTY : list(other, ", ", { min: 0 }) },
      );
    });
    return alt(...entries);
  }

  /** One parameter after the other between marks: texts as they are, all else as JSON, the way `typedValue` reads them. */
  raw(syntax: RawSyntax): GrammarNode {
    const compiler = new SchemaCompiler(this.#source, JSON_NOTATION);
    const entries = compiler.objects(this.schema).map((schema) => {
      const { named, extra } = this.#properties(compiler, schema);
      const write = (key: GrammarNode, value: unknown, path: string): GrammarNode => {
        const { before, behind, after } = syntax.parameter(key);
        return seq(before, this.#rawValue(compiler, value, path, behind, syntax.ends), after);
      };
      // Without a schema of its own a parameter is read as text, whatever it is.
      const others = extra === false || named.length > 0 ? EMPTY : repeat(write(identifier(), { type: "string" }, ""), 0);
      const rest = { behind: others, alone: others };
      return inOrder(named.map(({ name, schema: value, isRequired, path }) => ({ node: write(literal(this.#rawKey(name, path)), value, path), isRequired })), EMPTY, rest); // prettier-ignore
    });
    return alt(...entries);
  }

  #properties(compiler: SchemaCompiler, schema: Schema): Properties {
    const properties = compiler.properties(schema, "");
    const rule = ["patternProperties", "propertyNames"].find((keyword) => schema[keyword] !== undefined);
    if (rule !== undefined && properties.extra !== false) throw this.#source.unsupported(`/${rule}`, "in this model's format of calls it cannot be enforced. Name the properties");
    return properties;
  }

  #rawKey(name: string, path: string): string {
    if (/[<>\n]/.test(name) || name.trim() !== name || name === "") throw this.#source.unsupported(path, "this model writes calls in which a parameter's name cannot hold < or > or a new line");
    return name;
  }

  #rawValue(compiler: SchemaCompiler, value: unknown, path: string, behind: string, ends: readonly string[]): GrammarNode {
    const written = writtenTypes(isObject(value) ? value : {});
    if (written.size === 0) return seq(compiler.compile(value, path), behind);
    // Where a text may stand, all that stands there is read as a text, and of other values only null is known.
    const readable = written.has("string") ? ["string", "null"] : [...written, ...(written.has("number") ? ["integer"] : [])];
    const choices = alternatives(this.#source, value, path).map((schema) => {
      const types = typesOf(schema).filter((type) => readable.includes(type));
      const isText = types.includes("string");
      const rest = types.filter((type) => type !== "string");
      return alt(...(isText ? [this.#rawText({ ...schema, type: "string" }, path, { behind, ends, isNullable: written.has("null") })] : []), ...(rest.length > 0 ? [seq(compiler.compile({ ...schema, type: rest }, path), behind)] : []));
    });
    return alt(...choices);
  }

  #rawText(schema: Schema, path: string, { behind, ends, isNullable }: { behind: string; ends: readonly string[]; isNullable: boolean }): GrammarNode {
    const constants = "const" in schema ? [schema["const"]] : schema["enum"];
    if (Array.isArray(constants)) {
      const isRead = (text: unknown): text is string => typeof text === "string" && !ends.some((end) => text.includes(end)) && !(isNullable && /^(null|None)$/.test(text.trim()));
      return seq(words(constants.filter(isRead).map((text) => [text, EMPTY])), behind);
    }
    const isFree = assertionsOf(schema).length === 1;
    if (isFree) return freeText({ marks: [[behind, EMPTY], ...ends.filter((end) => end !== behind).map((end) => [end, NEVER] as const)] });
    // No mark begins without it.
    return seq(stringContent(schema, this.#source, path, plainCharacter, without(ANY, [[0x3c, 0x3c]])), behind);
  }
}

/** A parameter's name that no schema gives. */
function identifier(): GrammarNode {
  const letters = [[0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]] as const; // prettier-ignore
  return seq(bytes(...letters), repeat(bytes([0x30, 0x39], ...letters), 0, 63));
}
