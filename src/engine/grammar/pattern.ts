import { RegExpParser, type AST } from "@eslint-community/regexpp";
import { messageOf } from "../../core/errors.js";
import { ANY, characters, inverse, type Characters, type Spelling } from "./characters.js";
import { alt, EMPTY, repeat, seq, type GrammarNode } from "./node.js";

/** Thrown for a pattern that cannot be turned into a grammar; the message says what of it. */
export class UnsupportedPattern extends Error {}

/** A pattern as a grammar, and how many characters its texts have. */
export interface CompiledPattern {
  node: GrammarNode;
  min: number;
  max: number;
}

const DIGITS: Characters = [[0x30, 0x39]];
const WORD: Characters = characters([...DIGITS, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]);
/** White space and line terminators of ECMAScript. */
const SPACE: Characters = characters([[0x09, 0x0d], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff]]); // prettier-ignore
const LINE_ENDS: Characters = characters([[0x0a, 0x0a], [0x0d, 0x0d], [0x2028, 0x2029]]); // prettier-ignore

const MAX_LENGTH = 2_000;
/** Times that something which may be empty can be counted. */
const MAX_EMPTY_REPEATS = 32;

/**
 * A regular expression of ECMAScript (flag `u`, as JSON Schema means them) as a grammar of the texts it is found in. No lookaround,
 * backreference or word border, anchors only at the ends: what remains is regular in the strict sense.
 * @throws UnsupportedPattern
 */
export function compilePattern(source: string, spelling: Spelling): CompiledPattern {
  if (source.length > MAX_LENGTH) throw new UnsupportedPattern(`it has ${source.length} characters, more than ${MAX_LENGTH}`);
  let pattern: AST.Pattern;
  try {
    pattern = new RegExpParser({ ecmaVersion: 2025 }).parsePattern(source, undefined, undefined, { unicode: true });
  } catch (error) {
    throw new UnsupportedPattern(messageOf(error));
  }
  return new PatternCompiler(spelling).search(pattern.alternatives);
}

class PatternCompiler {
  readonly #any: CompiledPattern;

  constructor(private readonly spelling: Spelling) {
    this.#any = { node: repeat(spelling(ANY), 0), min: 0, max: Infinity };
  }

  /** Found anywhere in a text, unless anchors say where. */
  search(alternatives: readonly AST.Alternative[]): CompiledPattern {
    return either(
      alternatives.map(({ elements }) => {
        const [only] = elements;
        if (elements.length === 1 && (only?.type === "Group" || only?.type === "CapturingGroup")) return this.search(only.alternatives);
        const isAnchored = (element: AST.Element | undefined, kind: "start" | "end"): boolean => element?.type === "Assertion" && element.kind === kind;
        const from = isAnchored(elements[0], "start") ? 1 : 0;
        const to = elements.length - (elements.length > from && isAnchored(elements.at(-1), "end") ? 1 : 0);
        const body = elements.slice(from, to).map((element) => this.#element(element));
        return inRow([...(from === 1 ? [] : [this.#any]), ...body, ...(to < elements.length ? [] : [this.#any])]);
      }),
    );
  }

  #element(element: AST.Element): CompiledPattern {
    switch (element.type) {
      case "Group":
      case "CapturingGroup":
        return either(element.alternatives.map(({ elements }) => inRow(elements.map((one) => this.#element(one)))));
      case "Quantifier":
        return this.#repeated(element);
      case "Character":
      case "CharacterSet":
      case "CharacterClass":
        return { node: this.spelling(setOf(element)), min: 1, max: 1 };
      default:
        throw new UnsupportedPattern(`${JSON.stringify(element.raw)} cannot be enforced while text is written; only ^ and $ at the ends can`);
    }
  }

  #repeated({ element, min, max, raw }: AST.Quantifier): CompiledPattern {
    const one = this.#element(element);
    if (one.min === 0 && max !== Infinity && max > MAX_EMPTY_REPEATS) throw new UnsupportedPattern(`${JSON.stringify(raw)} counts something that may be empty, more than ${MAX_EMPTY_REPEATS} times`);
    return { node: repeat(one.node, one.min === 0 ? 0 : min, max), min: one.min * min, max: one.max === 0 ? 0 : one.max * max };
  }
}

function either(choices: readonly CompiledPattern[]): CompiledPattern {
  return { node: alt(...choices.map(({ node }) => node)), min: Math.min(...choices.map(({ min }) => min)), max: Math.max(...choices.map(({ max }) => max)) };
}

function inRow(parts: readonly CompiledPattern[]): CompiledPattern {
  if (parts.length === 0) return { node: EMPTY, min: 0, max: 0 };
  return { node: seq(...parts.map(({ node }) => node)), min: sum(parts.map(({ min }) => min)), max: sum(parts.map(({ max }) => max)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function setOf(element: AST.Character | AST.CharacterSet | AST.CharacterClass | AST.CharacterClassElement): Characters {
  switch (element.type) {
    case "Character":
      return characters([[element.value, element.value]]);
    case "CharacterClassRange":
      return characters([[element.min.value, element.max.value]]);
    case "CharacterClass": {
      const set = characters(element.elements.flatMap((one) => setOf(one)));
      return element.negate ? inverse(set) : set;
    }
    case "CharacterSet": {
      if (element.kind === "any") return inverse(LINE_ENDS);
      if (element.kind === "property") break;
      const set = { digit: DIGITS, space: SPACE, word: WORD }[element.kind];
      return element.negate ? inverse(set) : set;
    }
  }
  throw new UnsupportedPattern(`${JSON.stringify(element.raw)} is not supported: write the characters as ranges`);
}
