import { ANY, characters, intersection, type Characters } from "./characters.js";

/**
 * Regular languages over characters, as terms, with intersection and complement: what lookaheads and several constraints on one text need.
 * Brzozowski, "Derivatives of Regular Expressions" (1964): what may follow a character is a term again.
 */
export type Language =
  | (Known & { kind: "empty" })
  | (Known & { kind: "set"; set: Characters })
  | (Known & { kind: "row"; first: Language; rest: Language })
  | (Known & { kind: "either" | "all"; parts: readonly Language[] })
  | (Known & { kind: "not"; part: Language })
  | (Known & { kind: "repeat"; part: Language; least: number; most: number });

interface Known {
  id: number;
  /** Characters that its texts have, as far as its form tells. */
  min: number;
  max: number;
  /** Whether the empty text is one of its texts. */
  isNullable: boolean;
  /** Made without `all` and `not`: every part of it can be written to its end. */
  isPlain: boolean;
}

/** Terms that one schema's string may become while it is read: hundreds of kilobytes of memory, and no more than what any sensible one takes. */
const MAX_TERMS = 100_000;

/** Thrown where a language takes more than that. */
export class TooComplex extends Error {
  constructor() {
    super("it takes too many states to tell its texts from others");
  }
}

/** Makes each term once, so that equal ones are the same. */
export class Languages {
  readonly #terms = new Map<string, Language>();
  readonly empty = this.#make("", { kind: "empty" }, { min: 0, max: 0, isNullable: true, isPlain: true });
  readonly never = this.#make("|", { kind: "either", parts: [] }, { min: Infinity, max: 0, isNullable: false, isPlain: true });
  readonly character = this.set(ANY);
  readonly anything = this.repeat(this.character, 0, Infinity);

  set(set: Characters): Language {
    if (set.length === 0) return this.never;
    return this.#make(`[${set.join(";")}`, { kind: "set", set }, { min: 1, max: 1, isNullable: false, isPlain: true });
  }

  row(...parts: readonly Language[]): Language {
    return parts.reduceRight((rest, first) => this.#pair(first, rest), this.empty);
  }

  either(...parts: readonly Language[]): Language {
    const flat = parts.flatMap((part) => (part.kind === "either" ? part.parts : [part]));
    if (flat.includes(this.anything)) return this.anything;
    const own = this.#joined(flat, (sets) => characters(sets.flat()));
    if (own.length === 1) return own[0]!;
    if (own.length === 0) return this.never;
    return this.#make(`|${ids(own)}`, { kind: "either", parts: own }, {
      min: Math.min(...own.map(({ min }) => min)),
      max: Math.max(...own.map(({ max }) => max)),
      isNullable: own.some(({ isNullable }) => isNullable),
      isPlain: own.every(({ isPlain }) => isPlain),
    });
  }

  all(...parts: readonly Language[]): Language {
    const flat = parts.flatMap((part) => (part.kind === "all" ? part.parts : [part])).filter((part) => part !== this.anything);
    const counted = this.#countedTogether(flat);
    const own = this.#joined(counted, (sets) => sets.reduce(intersection));
    const min = Math.max(0, ...own.map((part) => part.min));
    const max = Math.min(Infinity, ...own.map((part) => part.max));
    const isNullable = own.every((part) => part.isNullable);
    if (own.includes(this.never) || min > max) return this.never;
    if (max === 0) return isNullable ? this.empty : this.never;
    if (own.length <= 1) return own[0] ?? this.anything;
    return this.#make(`&${ids(own)}`, { kind: "all", parts: own }, { min, max, isNullable, isPlain: false });
  }

  not(part: Language): Language {
    if (part.kind === "not") return part.part;
    if (part === this.never) return this.anything;
    if (part === this.anything) return this.never;
    return this.#make(`!${part.id}`, { kind: "not", part }, { min: part.isNullable ? 1 : 0, max: Infinity, isNullable: !part.isNullable, isPlain: false });
  }

  repeat(part: Language, least: number, most: number): Language {
    if (most === 0 || part === this.empty) return this.empty;
    if (part === this.never) return least === 0 ? this.empty : this.never;
    if (least === 1 && most === 1) return part;
    if (part.kind === "repeat" && part.least === 0 && part.most === Infinity) return part;
    const from = part.isNullable ? 0 : least;
    return this.#make(`*${part.id},${from},${most}`, { kind: "repeat", part, least: from, most }, {
      min: part.min * from,
      max: part.max * most,
      isNullable: from === 0,
      isPlain: part.isPlain,
    });
  }

  /** What may follow this character. */
  after(language: Language, character: number): Language {
    switch (language.kind) {
      case "empty":
        return this.never;
      case "set":
        return language.set.some(([from, to]) => from <= character && character <= to) ? this.empty : this.never;
      case "row": {
        const { first, rest } = language;
        const inside = this.row(this.after(first, character), rest);
        return first.isNullable ? this.either(inside, this.after(rest, character)) : inside;
      }
      case "either":
        return this.either(...language.parts.map((part) => this.after(part, character)));
      case "all":
        return this.all(...language.parts.map((part) => this.after(part, character)));
      case "not":
        return this.not(this.after(language.part, character));
      case "repeat":
        return this.row(this.after(language.part, character), this.repeat(language.part, Math.max(0, language.least - 1), language.most - 1));
    }
  }

  /** What may follow each character of an alphabet, characters with the same future together. */
  next(language: Language, alphabet: Characters): (readonly [set: Characters, then: Language])[] {
    const byFuture = new Map<Language, (readonly [number, number])[]>();
    for (const ranges of classes([...firsts(language)], alphabet)) {
      const then = this.after(language, ranges[0]![0]);
      if (then !== this.never) byFuture.set(then, [...(byFuture.get(then) ?? []), ...ranges]);
    }
    return [...byFuture].map(([then, ranges]) => [characters(ranges), then] as const);
  }

  #pair(first: Language, rest: Language): Language {
    if (first === this.never || rest === this.never) return this.never;
    if (first === this.empty) return rest;
    if (rest === this.empty) return first;
    if (first === this.anything && (rest === this.anything || (rest.kind === "row" && rest.first === this.anything))) return rest;
    if (first.kind === "row") return this.#pair(first.first, this.#pair(first.rest, rest));
    return this.#make(`.${first.id},${rest.id}`, { kind: "row", first, rest }, {
      min: first.min + rest.min,
      max: first.max + rest.max,
      isNullable: first.isNullable && rest.isNullable,
      isPlain: first.isPlain && rest.isPlain,
    });
  }

  /** In order, each once, and sets as one. */
  #joined(parts: readonly Language[], join: (sets: Characters[]) => Characters): Language[] {
    const sets = parts.flatMap((part) => (part.kind === "set" ? [part.set] : []));
    const others = parts.filter((part) => part.kind !== "set");
    return [...new Set(sets.length > 0 ? [...others, this.set(join(sets))] : others)].sort((a, b) => a.id - b.id);
  }

  /** Of texts that are counted characters of a set each, one is left, which is a great deal less work for large counts. */
  #countedTogether(parts: readonly Language[]): Language[] {
    const isCounted = (part: Language): part is Language & { kind: "repeat"; part: Language & { kind: "set" } } => part.kind === "repeat" && part.part.kind === "set";
    const counted = parts.filter(isCounted);
    if (counted.length < 2) return [...parts];
    const set = this.set(counted.map(({ part }) => part.set).reduce(intersection));
    const least = Math.max(...counted.map((one) => one.least));
    const most = Math.min(...counted.map((one) => one.most));
    return [...parts.filter((part) => !isCounted(part)), least > most ? this.never : this.repeat(set, least, most)];
  }

  #make(key: string, form: Form, known: Omit<Known, "id">): Language {
    const found = this.#terms.get(key);
    if (found !== undefined) return found;
    if (this.#terms.size >= MAX_TERMS) throw new TooComplex();
    const made = { ...form, ...known, id: this.#terms.size };
    this.#terms.set(key, made);
    return made;
  }
}

type Form = Language extends infer Term ? (Term extends Language ? Omit<Term, keyof Known> : never) : never;

function ids(parts: readonly Language[]): string {
  return parts.map(({ id }) => id).join();
}

/** The sets that decide about a text's first character. */
function* firsts(language: Language): Generator<Characters> {
  switch (language.kind) {
    case "empty":
      return;
    case "set":
      yield language.set;
      return;
    case "row":
      yield* firsts(language.first);
      if (language.first.isNullable) yield* firsts(language.rest);
      return;
    case "either":
    case "all":
      for (const part of language.parts) yield* firsts(part);
      return;
    default:
      yield* firsts(language.part);
  }
}

/** An alphabet cut into characters that none of these sets tells apart. */
function classes(sets: readonly Characters[], alphabet: Characters): (readonly (readonly [number, number])[])[] {
  const different = [...new Set(sets)];
  const changes = [alphabet, ...different].flatMap((set, index) => set.flatMap(([from, to]) => [{ at: from, index }, { at: to + 1, index }])).sort((a, b) => a.at - b.at);
  const bySets = new Map<string, (readonly [number, number])[]>();
  const inside = new Set<number>();
  for (const [i, { at, index }] of changes.entries()) {
    if (!inside.delete(index)) inside.add(index);
    const end = changes[i + 1]?.at;
    if (end === undefined || end === at || !inside.has(0)) continue;
    const key = [...inside].sort((a, b) => a - b).join();
    const found = bySets.get(key);
    if (found === undefined) bySets.set(key, [[at, end - 1]]);
    else found.push([at, end - 1]);
  }
  return [...bySets.values()];
}

