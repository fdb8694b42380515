/** All pieces that are remembered, and one of them: a long conversation is far less, and a file that is pasted once is not worth it. */
const MAX_CHARACTERS = 2 ** 21;
const MAX_PIECE = 2 ** 16;

/** Tokens of the pieces between added tokens, which are tokenised each on its own: most of a conversation's are those of its last turn. */
export class PieceMemo {
  /** The one used least lately comes first. */
  readonly #kept = new Map<string, readonly string[]>();
  #characters = 0;

  /** Characters that are remembered. */
  get characters(): number {
    return this.#characters;
  }

  has(key: string): boolean {
    return this.#kept.has(key);
  }

  /** The tokens of a piece. @param key all that they depend on. */
  get(key: string, make: () => readonly string[]): readonly string[] {
    const known = this.#kept.get(key);
    if (known !== undefined) this.#kept.delete(key);
    const tokens = known ?? make();
    if (key.length > MAX_PIECE) return tokens;
    this.#kept.set(key, tokens);
    if (known === undefined) this.#characters += key.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#characters <= MAX_CHARACTERS) break;
      this.#kept.delete(oldest);
      this.#characters -= oldest.length;
    }
    return tokens;
  }
}
