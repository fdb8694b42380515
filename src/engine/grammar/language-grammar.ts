import { tooComplex } from "./automaton.js";
import { intersection, type Characters, type Spelling } from "./characters.js";
import { TooComplex, type Language, type Languages } from "./language.js";
import { alt, EMPTY, repeat, seq, type GrammarNode } from "./node.js";

/** Times that something which may be empty can be counted: each is a way of its own to read a text. */
const MAX_EMPTY_REPEATS = 32;
/** States that are looked at to find out whether a text can be ended from one. */
const MAX_SEARCH = 5_000;

/** Which characters may be written, and how. */
export interface Writing {
  alphabet: Characters;
  spelling: Spelling;
}

/** A language as a grammar of its texts as they are written. @throws TooComplex */
export function grammarOf(languages: Languages, language: Language, writing: Writing): GrammarNode {
  return new Renderer(languages, writing).render(language);
}

class Renderer {
  readonly #spelled = new Map<string, GrammarNode>();
  readonly #states = new Map<Language, LanguageState>();
  /** States whose texts can be ended, and those whose cannot. */
  readonly #live = new Map<Language, boolean>();

  constructor(
    private readonly languages: Languages,
    private readonly writing: Writing,
  ) {}

  render(language: Language): GrammarNode {
    switch (language.kind) {
      case "empty":
        return EMPTY;
      case "set":
        return this.spell(intersection(language.set, this.writing.alphabet));
      case "row": {
        const parts: GrammarNode[] = [];
        let rest: Language = language;
        for (; rest.kind === "row"; rest = rest.rest) parts.push(this.render(rest.first));
        return seq(...parts, this.render(rest));
      }
      case "either":
        return alt(...language.parts.map((part) => this.render(part)));
      case "repeat": {
        const { part, least, most } = language;
        if (!part.isPlain || (part.isNullable && most !== Infinity && most > MAX_EMPTY_REPEATS)) break;
        return repeat(this.render(part), least, most);
      }
    }
    // The search begins here, so that what cannot be enforced is found before anything is written.
    this.isLive(language);
    return this.state(language);
  }

  spell(set: Characters): GrammarNode {
    const key = set.join(";");
    const node = this.#spelled.get(key) ?? this.writing.spelling(set);
    this.#spelled.set(key, node);
    return node;
  }

  state(language: Language): LanguageState {
    const state = this.#states.get(language) ?? new LanguageState(this, language);
    this.#states.set(language, state);
    return state;
  }

  next(language: Language): (readonly [set: Characters, then: Language])[] {
    return this.languages.next(language, this.writing.alphabet);
  }

  /** Whether any text leads from here to an end; the shortest way by its form is tried first. */
  isLive(language: Language): boolean {
    const known = this.#live.get(language);
    if (known !== undefined) return known;
    const from = new Map<Language, Language | undefined>([[language, undefined]]);
    const open = [language];
    for (let here = open.pop(); here !== undefined; here = open.pop()) {
      if (here.isNullable || this.#live.get(here) === true) {
        for (let on: Language | undefined = here; on !== undefined; on = from.get(on)) this.#live.set(on, true);
        return true;
      }
      if (from.size > MAX_SEARCH) throw new TooComplex();
      const ways = this.next(here).map(([, then]) => then).filter((then) => !from.has(then) && this.#live.get(then) !== false); // prettier-ignore
      for (const then of ways.sort((a, b) => b.min - a.min)) {
        from.set(then, here);
        open.push(then);
      }
    }
    for (const dead of from.keys()) this.#live.set(dead, false);
    return false;
  }
}

/** What is left of a text, made when it is first reached: only what can be ended is gone on with. */
class LanguageState implements GrammarNode {
  readonly parts: readonly GrammarNode[] = [];
  #rows: readonly (readonly GrammarNode[])[] | undefined;

  constructor(
    private readonly renderer: Renderer,
    private readonly language: Language,
  ) {}

  expand(): readonly (readonly GrammarNode[])[] {
    try {
      return (this.#rows ??= this.#expanded());
    } catch (error) {
      throw error instanceof TooComplex ? tooComplex() : error;
    }
  }

  ends(): boolean {
    return this.renderer.isLive(this.language);
  }

  #expanded(): readonly (readonly GrammarNode[])[] {
    const ways = this.renderer.next(this.language).filter(([, then]) => this.renderer.isLive(then));
    return [...(this.language.isNullable ? [[]] : []), ...ways.map(([set, then]) => [this.renderer.spell(set), this.renderer.state(then)])];
  }
}
