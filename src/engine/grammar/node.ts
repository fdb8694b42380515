/**
 * Grammars over bytes, as graphs of nodes. A node either consumes a byte or expands into rows of nodes that stand in its place, so that the
 * automaton needs to know nothing else about it.
 */
export interface GrammarNode {
  /** What is left of it behind this byte; `undefined` where the byte cannot come. Of nodes that consume. */
  step?(byte: number): GrammarNode | undefined;
  /** The rows it may stand for. Of all others. */
  expand?(): readonly (readonly GrammarNode[])[];
  /** Whether a finite text can follow it, when that is known of these nodes. */
  ends(known: ReadonlySet<GrammarNode>): boolean;
  /** Nodes it is made of. */
  readonly parts: readonly GrammarNode[];
  /** How many plain characters (plain-tokens.ts) may come, whichever they are. Of text that only its length bounds. */
  readonly room?: number | undefined;
}

const NO_PARTS: readonly GrammarNode[] = [];

class Sequence implements GrammarNode {
  constructor(readonly parts: readonly GrammarNode[]) {}
  expand(): readonly (readonly GrammarNode[])[] {
    return [this.parts];
  }
  ends(known: ReadonlySet<GrammarNode>): boolean {
    return this.parts.every((part) => known.has(part));
  }
}

class Choice implements GrammarNode {
  constructor(readonly parts: readonly GrammarNode[]) {}
  expand(): readonly (readonly GrammarNode[])[] {
    return this.parts.map((part) => [part]);
  }
  ends(known: ReadonlySet<GrammarNode>): boolean {
    return this.parts.some((part) => known.has(part));
  }
}

class Literal implements GrammarNode {
  readonly parts = NO_PARTS;
  #rest: GrammarNode | undefined;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly at: number,
  ) {}
  step(byte: number): GrammarNode | undefined {
    if (this.bytes[this.at] !== byte) return undefined;
    return (this.#rest ??= this.at + 1 === this.bytes.length ? EMPTY : new Literal(this.bytes, this.at + 1));
  }
  ends(): boolean {
    return true;
  }
}

class Bytes implements GrammarNode {
  readonly parts = NO_PARTS;
  readonly #has = new Uint8Array(256);

  constructor(ranges: readonly (readonly [from: number, to: number])[]) {
    for (const [from, to] of ranges) this.#has.fill(1, from, to + 1);
  }
  step(byte: number): GrammarNode | undefined {
    return this.#has[byte] === 1 ? EMPTY : undefined;
  }
  ends(): boolean {
    return true;
  }
}

class Repeat implements GrammarNode {
  readonly parts: readonly GrammarNode[];
  #rest: Repeat | undefined;

  constructor(
    private readonly node: GrammarNode,
    private readonly min: number,
    private readonly max: number,
    private readonly isText = false,
  ) {
    this.parts = [node];
  }
  get room(): number | undefined {
    return this.isText ? this.max : undefined;
  }
  expand(): readonly (readonly GrammarNode[])[] {
    const none = this.min === 0 ? [[]] : [];
    if (this.max === 0) return none;
    return [...none, [this.node, (this.#rest ??= this.min === 0 && this.max === Infinity ? this : new Repeat(this.node, Math.max(0, this.min - 1), this.max - 1, this.isText))]];
  }
  ends(known: ReadonlySet<GrammarNode>): boolean {
    return this.min === 0 || known.has(this.node);
  }
}

/** A node with a name that may be used before it is defined: what makes grammars recursive. */
export class Rule implements GrammarNode {
  body: GrammarNode = NEVER;
  get parts(): readonly GrammarNode[] {
    return [this.body];
  }
  expand(): readonly (readonly GrammarNode[])[] {
    return [[this.body]];
  }
  ends(known: ReadonlySet<GrammarNode>): boolean {
    return known.has(this.body);
  }
}

/** The empty text. */
export const EMPTY: GrammarNode = new Sequence([]);
/** No text at all. */
export const NEVER: GrammarNode = new Choice([]);

export function seq(...nodes: readonly (GrammarNode | string)[]): GrammarNode {
  return nodes.length === 1 ? asNode(nodes[0]!) : new Sequence(nodes.map(asNode));
}

export function alt(...nodes: readonly (GrammarNode | string)[]): GrammarNode {
  return nodes.length === 1 ? asNode(nodes[0]!) : new Choice(nodes.map(asNode));
}

export function literal(text: string): GrammarNode {
  return text === "" ? EMPTY : new Literal(new TextEncoder().encode(text), 0);
}

/** One byte of these ranges, ends included. */
export function bytes(...ranges: readonly (readonly [from: number, to: number])[]): GrammarNode {
  return new Bytes(ranges);
}

/** `min` to `max` times in a row. The node must not be able to be empty where `max` is large: each count would be a way of its own. */
export function repeat(node: GrammarNode | string, min: number, max = Infinity): GrammarNode {
  if (max === 1 && min === 1) return asNode(node);
  return new Repeat(asNode(node), min, max);
}

/** `min` to `max` characters, of which every plain one may come as itself. */
export function text(character: GrammarNode, min: number, max = Infinity): GrammarNode {
  return new Repeat(character, min, max, true);
}

export function optional(node: GrammarNode | string): GrammarNode {
  return alt(EMPTY, node);
}

/** One or more, with a separator between. */
export function list(node: GrammarNode, separator: GrammarNode | string, { min = 1, max = Infinity }: { min?: number; max?: number } = {}): GrammarNode {
  if (max === 0) return min === 0 ? EMPTY : NEVER;
  const some = seq(node, repeat(seq(separator, node), Math.max(0, min - 1), max - 1));
  return min === 0 ? optional(some) : some;
}

/** One of these texts, each of which may lead on to something; read together as far as they begin alike, so that thousands cost no more than one. */
export function words(entries: Iterable<readonly [text: string, then: GrammarNode]>): GrammarNode {
  const root: WordNode = { then: [], next: new Map() };
  for (const [text, then] of entries) {
    let node = root;
    for (const byte of new TextEncoder().encode(text)) {
      const next = node.next.get(byte) ?? { then: [], next: new Map<number, WordNode>() };
      node.next.set(byte, next);
      node = next;
    }
    node.then.push(then);
  }
  return wordsFrom(root);
}

interface WordNode {
  then: GrammarNode[];
  next: Map<number, WordNode>;
}

function wordsFrom({ then, next }: WordNode): GrammarNode {
  const branches = [...next].map(([first, node]) => {
    // A run without branches is one literal.
    const run = [first];
    while (node.then.length === 0 && node.next.size === 1) for (const [byte, only] of node.next) [node, run[run.length]] = [only, byte];
    return seq(new Literal(Uint8Array.from(run), 0), wordsFrom(node));
  });
  return alt(...then, ...branches);
}

function asNode(node: GrammarNode | string): GrammarNode {
  return typeof node === "string" ? literal(node) : node;
}

/** The nodes that no finite text gets to the end of, e.g. objects that have to hold one of their own kind. */
export function deadNodes(root: GrammarNode): ReadonlySet<GrammarNode> {
  const all = new Set([root]);
  for (const node of all) for (const part of node.parts) all.add(part);
  const known = new Set<GrammarNode>();
  // Parts come later than what holds them: from the back, most is known at once.
  const open = [...all].reverse();
  for (let before = -1; before !== known.size; ) {
    before = known.size;
    for (const node of open) if (!known.has(node) && node.ends(known)) known.add(node);
  }
  return new Set(open.filter((node) => !known.has(node)));
}
