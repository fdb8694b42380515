/**
 * Turns token ids into text as they come. The joined results of `push` and the final `flush` equal the decoding of all ids at once.
 */
export interface StreamingDetokenizer {
  /** Text that this token completes; empty while a character is still in parts. Constant time, amortised. */
  push(id: number): string;
  /** What is left at the end: an unfinished character becomes U+FFFD. The detokenizer then starts anew. */
  flush(): string;
}

/** What one token contributes: bytes of a character stream, text on its own (added tokens), or nothing (special and unknown tokens). */
export type TokenPiece = Uint8Array | string | undefined;

/** For tokens that are bytes (byte-level BPE, SentencePiece with byte fallback): only the UTF-8 decoder and the beginning have a state. */
export class ByteDetokenizer implements StreamingDetokenizer {
  private readonly utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  private atStart = true;

  /** @param stripsFirstSpace the text's first character goes when it is a space. */
  constructor(
    private readonly pieceOf: (id: number) => TokenPiece,
    private readonly stripsFirstSpace: boolean,
  ) {}

  push(id: number): string {
    const piece = this.pieceOf(id);
    if (piece === undefined) return "";
    if (typeof piece === "string") return this.shown(this.utf8.decode() + piece);
    return this.shown(this.utf8.decode(piece, { stream: true }));
  }

  flush(): string {
    const rest = this.shown(this.utf8.decode());
    this.atStart = true;
    return rest;
  }

  private shown(text: string): string {
    if (text === "" || !this.atStart) return text;
    this.atStart = false;
    return this.stripsFirstSpace && text.startsWith(" ") ? text.slice(1) : text;
  }
}

const REPLACEMENT = "\ufffd";
/** A character has at most four bytes, so a fifth token cannot complete the one the first of them began. */
const MAX_TOKENS_PER_CHARACTER = 4;

/**
 * For every other decoder (Metaspace, WordPiece): decodes a short window of the latest tokens with and without the
 * new ones and takes the difference, because such decoders treat a token differently at the beginning of the text.
 * Invalid bytes may become one U+FFFD more or fewer than in a decoding of the whole.
 */
export class WindowDetokenizer implements StreamingDetokenizer {
  private ids: number[] = [];
  /** `ids[0, emitted)` are context whose text is out already. */
  private emitted = 0;
  private emittedText = "";

  constructor(
    private readonly decode: (ids: number[]) => string,
    private readonly isSkipped: (id: number) => boolean,
  ) {}

  push(id: number): string {
    if (this.isSkipped(id)) return "";
    this.ids.push(id);
    const text = this.decode(this.ids);
    const pending = this.ids.length - this.emitted;
    if (text.endsWith(REPLACEMENT) && pending < MAX_TOKENS_PER_CHARACTER) return "";
    return this.advance(text);
  }

  flush(): string {
    const rest = this.ids.length > this.emitted ? this.advance(this.decode(this.ids)) : "";
    this.ids = [];
    this.emitted = 0;
    this.emittedText = "";
    return rest;
  }

  private advance(text: string): string {
    const delta = text.slice(this.emittedText.length);
    this.ids = this.ids.slice(this.emitted);
    this.emitted = this.ids.length;
    this.emittedText = this.decode(this.ids);
    return delta;
  }
}
