import { DeskhandError } from "../../core/errors.js";
import { THINKING_MARKS } from "../generate/thinking.js";
import type { Constraint } from "../generate/sampler.js";
import type { ChatRequest } from "../inference.js";
import type { ToolDefinition } from "../messages.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { ToolCallFormat } from "../tools/format.js";
import { Automaton } from "./automaton.js";
import { callRules, isCallableName, type CallBlock } from "./call-rules.js";
import { CalledNames, namePlace, namesAutomaton, type NamePlace } from "./called-names.js";
import { GrammarConstraint } from "./constraint.js";
import { freeText } from "./free-text.js";
import { alt, bytes, EMPTY, list, optional, repeat, seq, type GrammarNode } from "./node.js";
import { JSON_NOTATION } from "./notation.js";
import { SchemaCompiler } from "./schema.js";
import { SchemaSource } from "./schema-source.js";
import { Vocabulary } from "./vocabulary.js";

/** Grammars kept, latest used last. */
const MAX_GRAMMARS = 64;

/** What of a request says how its answer has to be written. */
export type AnswerRules = Pick<ChatRequest, "tools" | "toolChoice" | "allowedTools" | "parallelToolCalls" | "responseFormat">;

/** Whether the answer may begin with thinking: not, perhaps, or in any case since the prompt has opened it. */
export type Thinking = "none" | "possible" | "open";

/** The grammars of one model's answers. */
export class AnswerGrammars {
  readonly #automata = new Map<string, Automaton>();
  readonly #namePlace: NamePlace | undefined;
  #vocabulary: Vocabulary | undefined;

  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly format: ToolCallFormat | undefined,
  ) {
    this.#namePlace = format && namePlace(format);
  }

  /** Special tokens that are text in constrained answers. */
  get visibleTokens(): readonly string[] {
    return [...THINKING_MARKS, ...(this.format?.marks ?? [])];
  }

  /**
   * What keeps an answer to the request's rules, and its calls to the functions that there are; `undefined` where nothing does.
   * @throws DeskhandError naming what cannot be enforced.
   */
  constraint(rules: AnswerRules, thinking: Thinking): Constraint | undefined {
    if (!isConstrained(rules)) return this.#calledNames(rules);
    if (this.tokenizer.eosTokenIds.length === 0) throw new DeskhandError("unsupported_input", "Expected a model whose files name the token that ends an answer: without it no answer can be kept to a format.");
    const { tools, toolChoice, allowedTools, parallelToolCalls, responseFormat } = rules;
    const key = JSON.stringify([tools, toolChoice, allowedTools, parallelToolCalls, responseFormat, thinking]);
    const automaton = this.#automaton(key, () => {
      const made = new Automaton(answerGrammar(rules, this.format, thinking));
      if (!made.isPossible) throw new DeskhandError("invalid_argument", "Expected a schema that some value fits, but none can: a required property excludes every value, or an object has to hold another of its kind without end.", { param: responseFormat === undefined ? "tools" : "responseFormat.schema" });
      return made;
    });
    return new GrammarConstraint(automaton, this.#words());
  }

  #calledNames({ tools = [], toolChoice }: AnswerRules): CalledNames | undefined {
    const place = this.#namePlace;
    if (place === undefined || toolChoice === "none" || tools.length === 0) return undefined;
    const names = [...new Set(tools.map(({ name }) => name))];
    if (!names.every(isCallableName)) return undefined;
    const automaton = this.#automaton(JSON.stringify(["names", names]), () => namesAutomaton(names, place));
    return new CalledNames(place, automaton, this.tokenizer, () => this.#words());
  }

  /** One for each key, kept while it is asked for: its states, and the masks of them, are found once. */
  #automaton(key: string, make: () => Automaton): Automaton {
    const automaton = this.#automata.get(key) ?? make();
    this.#automata.delete(key);
    this.#automata.set(key, automaton);
    if (this.#automata.size > MAX_GRAMMARS) this.#automata.delete(this.#automata.keys().next().value!);
    return automaton;
  }

  #words(): Vocabulary {
    return (this.#vocabulary ??= new Vocabulary(this.tokenizer, this.visibleTokens));
  }
}

export function isConstrained({ tools = [], toolChoice = "auto", allowedTools, parallelToolCalls, responseFormat }: AnswerRules): boolean {
  if (responseFormat !== undefined) return true;
  if (toolChoice === "none" || (tools.length === 0 && toolChoice === "auto")) return false;
  return toolChoice !== "auto" || allowedTools !== undefined || parallelToolCalls === false || tools.some(({ strict }) => strict === true);
}

function answerGrammar(rules: AnswerRules, format: ToolCallFormat | undefined, thinking: Thinking): GrammarNode {
  const gap = repeat(bytes([0x0a, 0x0a], [0x20, 0x20]), 0, 4);
  const [open, close] = THINKING_MARKS;
  const thought = freeText({ marks: [[close, EMPTY]] });
  const body = bodyGrammar(rules, format);
  if (thinking === "open") return seq(thought, gap, body);
  // With some tokenizers every text begins with a space.
  return seq(optional(" "), thinking === "none" ? body : alt(body, seq(open, thought, gap, body)));
}

function bodyGrammar({ tools = [], toolChoice = "auto", allowedTools, parallelToolCalls, responseFormat }: AnswerRules, format: ToolCallFormat | undefined): GrammarNode {
  const json = responseFormat === undefined ? undefined : jsonGrammar(responseFormat.type === "json_schema" ? responseFormat.schema : { type: "object" }, "responseFormat.schema");
  if (toolChoice === "none" || (tools.length === 0 && toolChoice === "auto")) return json!;
  const isForced = toolChoice !== "auto";
  const callable = tools.filter(({ name }) => (typeof toolChoice === "object" ? name === toolChoice.name : (allowedTools?.includes(name) ?? true)));
  if (callable.length === 0) throw new DeskhandError("invalid_argument", `Expected a tool choice among the tools (${tools.map(({ name }) => name).join(", ")}) but received ${JSON.stringify(allowedTools ?? toolChoice)}.`, { param: "toolChoice" });
  if (format === undefined) throw new DeskhandError("unsupported_input", "This model's chat template teaches no known format of tool calls, so none can be enforced. Load it with a tool format (--tool-format).", { param: "toolChoice" });
  const parallel = parallelToolCalls !== false;
  const isStrict = ({ strict }: ToolDefinition): boolean => (isForced ? strict !== false : strict === true);
  const blocks = format.blocks(callRules({ tools: callable, isStrict, parallel, nameOf: (tool) => `tools[${tools.indexOf(tool)}].parameters` }));
  if (isForced) return callsGrammar(blocks, parallel);
  return json === undefined ? textWithCalls(blocks, parallel) : alt(json, callsGrammar(blocks, parallel));
}

function callsGrammar(blocks: readonly CallBlock[], parallel: boolean): GrammarNode {
  return alt(
    ...blocks.map(({ opening, rest, separator }) => {
      const block = seq(opening, rest);
      return parallel && separator !== undefined ? list(block, separator) : block;
    }),
  );
}

function textWithCalls(blocks: readonly CallBlock[], parallel: boolean): GrammarNode {
  const marked = blocks.filter(({ opening }) => opening !== "");
  const bare = blocks.filter(({ opening }) => opening === "");
  const text = freeText({ marks: marked.map(({ opening, rest }) => [opening, rest]), mayEnd: true, goesOn: parallel, notFirst: bare.map(({ firstCharacters = "" }) => firstCharacters).join("") });
  return alt(text, ...bare.map(({ rest }) => rest));
}

function jsonGrammar(schema: unknown, name: string): GrammarNode {
  return new SchemaCompiler(new SchemaSource(schema, name), JSON_NOTATION).compile(schema);
}

/**
 * Refuses a schema that cannot be enforced, before anything else is done for the request.
 * @param name what the request calls it. @throws DeskhandError whose `param` is that name and the path within.
 */
export function checkSchema(schema: unknown, name: string): void {
  const automaton = new Automaton(jsonGrammar(schema, name));
  if (!automaton.isPossible) throw new SchemaSource(schema, name).refusal("", "Expected a schema that some value fits, but none can: a required property excludes every value, or an object has to hold another of its kind without end.");
}
