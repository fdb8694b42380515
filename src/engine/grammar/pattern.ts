import { RegExpParser, type AST } from "@eslint-community/regexpp";
import { messageOf } from "../../core/errors.js";
import { ANY, characters, inverse, type Characters } from "./characters.js";
import type { Language, Languages } from "./language.js";

/** Thrown for a pattern that is no regular language; the message says what of it. */
export class UnsupportedPattern extends Error {}

const DIGITS: Characters = [[0x30, 0x39]];
const WORD: Characters = characters([...DIGITS, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]);
/** White space and line terminators of ECMAScript. */
const SPACE: Characters = characters([[0x09, 0x0d], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff]]); // prettier-ignore
const LINE_ENDS: Characters = characters([[0x0a, 0x0a], [0x0d, 0x0d], [0x2028, 0x2029]]); // prettier-ignore

const MAX_LENGTH = 4_000;
/** Times that something with an assertion in it is written out. */
const MAX_WRITTEN_OUT = 8;

/** What follows; whether nothing of the text has come yet matters to `^`. */
type Rest = (isStart: boolean) => Language;

/**
 * A regular expression of ECMAScript (flag `u`, as JSON Schema means them) as the language of the texts it is found in. Anchors and
 * lookaheads may stand anywhere; what looks back, word borders and references cannot be told while text is written.
 * @throws UnsupportedPattern, TooComplex
 */
export function patternLanguage(source: string, languages: Languages): Language {
  if (source.length > MAX_LENGTH) throw new UnsupportedPattern(`it has ${source.length} characters, more than ${MAX_LENGTH}`);
  let pattern: AST.Pattern;
  try {
    pattern = new RegExpParser({ ecmaVersion: 2025 }).parsePattern(source, undefined, undefined, { unicode: true });
  } catch (error) {
    throw new UnsupportedPattern(messageOf(error));
  }
  return new PatternCompiler(languages).search(pattern.alternatives);
}

class PatternCompiler {
  constructor(private readonly languages: Languages) {}

  /** Found anywhere in a text, unless anchors say where. */
  search(alternatives: readonly AST.Alternative[]): Language {
    const { anything, character } = this.languages;
    const found: Rest = (isStart) => this.#either(alternatives, () => anything, isStart);
    const [atStart, later] = [found(true), found(false)];
    if (atStart === later) return this.languages.row(anything, later);
    return this.languages.either(atStart, this.languages.row(character, anything, later));
  }

  #either(alternatives: readonly AST.Alternative[], rest: Rest, isStart: boolean): Language {
    return this.languages.either(...alternatives.map(({ elements }) => this.#row(elements, 0, rest, isStart)));
  }

  #row(elements: readonly AST.Element[], at: number, rest: Rest, isStart: boolean): Language {
    const element = elements[at];
    if (element === undefined) return rest(isStart);
    const behind = remembered((still) => this.#row(elements, at + 1, rest, still));
    if (asserts(element)) return this.#asserted(element, behind, isStart);
    const { languages } = this;
    const one = this.#plain(element);
    const later = languages.row(one, behind(false));
    if (!isStart || !one.isNullable || behind(true) === behind(false)) return later;
    return languages.either(behind(true), languages.row(languages.all(one, languages.repeat(languages.character, 1, Infinity)), behind(false)));
  }

  /** Something that stands between characters, or holds such. */
  #asserted(element: AST.Element, rest: Rest, isStart: boolean): Language {
    const { languages } = this;
    if (element.type === "Group" || element.type === "CapturingGroup") return this.#either(element.alternatives, rest, isStart);
    if (element.type === "Quantifier") {
      const { min, max } = element;
      if (max > MAX_WRITTEN_OUT) throw new UnsupportedPattern(`${JSON.stringify(element.raw)} repeats an assertion more than ${MAX_WRITTEN_OUT} times`);
      const times = (done: number): Rest => remembered((start) => languages.either(done < min ? languages.never : rest(start), done < max ? this.#row([element.element], 0, times(done + 1), start) : languages.never));
      return times(0)(isStart);
    }
    if (element.type === "Assertion" && element.kind === "start") return isStart ? rest(true) : languages.never;
    if (element.type === "Assertion" && element.kind === "end") return languages.all(languages.empty, rest(isStart));
    if (element.type === "Assertion" && element.kind === "lookahead") {
      const seen = this.#either(element.alternatives, () => languages.anything, isStart);
      return languages.all(element.negate ? languages.not(seen) : seen, rest(isStart));
    }
    throw new UnsupportedPattern(`${JSON.stringify(element.raw)} cannot be enforced while text is written; of assertions, ^, $ and lookaheads can`);
  }

  #plain(element: AST.Element): Language {
    switch (element.type) {
      case "Group":
      case "CapturingGroup":
        return this.languages.either(...element.alternatives.map(({ elements }) => this.languages.row(...elements.map((one) => this.#plain(one)))));
      case "Quantifier":
        return this.languages.repeat(this.#plain(element.element), element.min, element.max);
      case "Character":
      case "CharacterSet":
      case "CharacterClass":
        return this.languages.set(setOf(element));
      default:
        throw new UnsupportedPattern(`${JSON.stringify(element.raw)} cannot be enforced while text is written`);
    }
  }
}

/** Both answers of a function, each found once. */
function remembered(rest: Rest): Rest {
  const known = new Map<boolean, Language>();
  return (isStart) => {
    const found = known.get(isStart) ?? rest(isStart);
    known.set(isStart, found);
    return found;
  };
}

function asserts(element: AST.Element): boolean {
  if (element.type === "Quantifier") return asserts(element.element);
  if (element.type === "Group" || element.type === "CapturingGroup") return element.alternatives.some(({ elements }) => elements.some(asserts));
  return element.type === "Assertion";
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
      if (element.kind === "property") return propertySet(element.raw);
      const set = { digit: DIGITS, space: SPACE, word: WORD }[element.kind];
      return element.negate ? inverse(set) : set;
    }
  }
  throw new UnsupportedPattern(`${JSON.stringify(element.raw)} is not supported: write the characters as ranges`);
}

const PROPERTIES = new Map<string, Characters>();

/** The characters with a property of Unicode, of which the runtime knows better than any table here. */
function propertySet(raw: string): Characters {
  const known = PROPERTIES.get(raw);
  if (known !== undefined) return known;
  const pattern = new RegExp(`^${raw}$`, "u");
  const found: [number, number][] = [];
  for (const [from, to] of ANY) {
    for (let character = from; character <= to; character++) {
      if (!pattern.test(String.fromCodePoint(character))) continue;
      const last = found.at(-1);
      if (last?.[1] === character - 1) last[1] = character;
      else found.push([character, character]);
    }
  }
  PROPERTIES.set(raw, found);
  return found;
}
