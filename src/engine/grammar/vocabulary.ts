import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { Automaton, State } from "./automaton.js";
import { plainLength, PlainTokens } from "./plain-tokens.js";

/** Masks kept of each vocabulary: of 150,000 tokens one takes 19 kB. */
const MAX_MASKS = 256;

/** A model's tokens as a tree of their bytes, to find at once all those that a grammar lets come next. */
export class Vocabulary {
  readonly eosTokenIds: readonly number[];
  readonly #texts: (string | undefined)[] = [];
  /** The tree's nodes, each before those below it: its byte, its depth (1 at the top), and where the nodes below it end. */
  readonly #byte: Uint8Array;
  readonly #depth: Uint16Array;
  readonly #end: Int32Array;
  /** The tokens that end at a node are `#ids[#from[node]]` up to those of the next. */
  readonly #from: Int32Array;
  readonly #ids: Int32Array;
  /** Of nodes below which all tokens are plain. */
  readonly #isPlain: Uint8Array;
  readonly #plain: PlainTokens;
  /** Numbers that a mask takes. */
  readonly #words: number;
  readonly #masks = new Map<State, Int32Array>();

  /** @param visible special tokens that are text here; all others never come. */
  constructor(tokenizer: Tokenizer, visible: readonly string[]) {
    this.eosTokenIds = tokenizer.eosTokenIds;
    const shown = new Set(visible.map((text) => tokenizer.tokenId(text)));
    const isHidden = (id: number): boolean => tokenizer.specialTokenIds.has(id) && !shown.has(id);
    const sorted: { text: string; id: number }[] = [];
    for (let id = 0; id < tokenizer.vocabSize; id++) {
      if (isHidden(id) || this.eosTokenIds.includes(id)) continue;
      // One character a byte: strings compare faster than arrays.
      const text = Buffer.from(tokenizer.bytesOf(id)).toString("latin1");
      if (text === "") continue;
      this.#texts[id] = text;
      sorted.push({ text, id });
    }
    sorted.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.id - b.id));
    const count = nodeCount(sorted.map(({ text }) => text));
    this.#byte = new Uint8Array(count);
    this.#depth = new Uint16Array(count);
    this.#end = new Int32Array(count);
    this.#from = new Int32Array(count + 1);
    this.#ids = Int32Array.from(sorted, ({ id }) => id);
    const path: number[] = [];
    let node = 0;
    let before = "";
    sorted.forEach(({ text }, index) => {
      const shared = sharedLength(before, text);
      while (path.length > shared) this.#end[path.pop()!] = node;
      for (let depth = shared; depth < text.length; depth++) {
        this.#byte[node] = text.charCodeAt(depth);
        this.#depth[node] = depth + 1;
        this.#from[node] = index;
        path.push(node++);
      }
      before = text;
    });
    for (const open of path) this.#end[open] = node;
    this.#from[count] = sorted.length;
    this.#words = Math.ceil((Math.max(this.#texts.length, ...this.eosTokenIds) + 1) / 32);
    const lengths = sorted.map(({ text }) => plainLength(text));
    this.#plain = new PlainTokens(
      sorted.flatMap(({ id }, i) => (lengths[i] === undefined ? [] : [[id, lengths[i]] as const])),
      this.#words,
    );
    const others = new Int32Array(sorted.length + 1);
    lengths.forEach((length, i) => (others[i + 1] = others[i]! + (length === undefined ? 1 : 0)));
    this.#isPlain = Uint8Array.from(this.#end, (end, from) => (others[this.#from[end]!] === others[this.#from[from]!] ? 1 : 0));
    // A node's tokens come first in the order, up to those of the node after it, of which `from` is set already.
  }

  /** The bytes of a token, one character each. `undefined` for one that is no text. */
  textOf(id: number): string | undefined {
    return this.#texts[id];
  }

  /** One bit a token: whether it may come in this state. */
  mask(automaton: Automaton, state: State): Int32Array {
    const known = this.#masks.get(state);
    if (known !== undefined) return known;
    automaton.beginWork();
    // What is plain and fits is there at once, and where nothing else can be plain there is no more to be said of it.
    const mask = state.room > 0 ? this.#plain.within(state.room) : new Int32Array(this.#words);
    const skipsPlain = state.room > 0 && state.isOnlyRoom;
    const allow = (id: number): void => void (mask[id >> 5]! |= 1 << (id & 31));
    const path: State[] = [state];
    for (let node = 0; node < this.#byte.length; ) {
      if (skipsPlain && this.#isPlain[node] === 1) {
        node = this.#end[node]!;
        continue;
      }
      const depth = this.#depth[node]!;
      const next = automaton.step(path[depth - 1]!, this.#byte[node]!);
      if (next === null) {
        node = this.#end[node]!;
        continue;
      }
      path[depth] = next;
      for (let i = this.#from[node]!; i < this.#from[node + 1]!; i++) allow(this.#ids[i]!);
      node++;
    }
    if (state.accepts) for (const id of this.eosTokenIds) allow(id);
    if (this.#masks.size >= MAX_MASKS) this.#masks.delete(this.#masks.keys().next().value!);
    this.#masks.set(state, mask);
    return mask;
  }
}

function nodeCount(sorted: readonly string[]): number {
  return sorted.reduce((count, text, i) => count + text.length - sharedLength(sorted[i - 1] ?? "", text), 0);
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}
