import type { TokenPiece } from "./streaming-detokenizer.js";

/** SentencePiece's sign for a space. */
export const SPACE = "▁";
const BYTE_TOKEN = /^<0x([\dA-Fa-f]{2})>$/;

/**
 * The reversible alphabet of byte-level BPE (GPT-2): printable bytes stand for themselves, the other 68 are moved to U+0100 and up, so that
 * any byte sequence can be written in a JSON vocabulary. Source: `bytes_to_unicode` in OpenAI's GPT-2 encoder.
 */
const BYTE_OF_CODE_POINT: ReadonlyMap<number, number> = buildAlphabet();

function buildAlphabet(): Map<number, number> {
  const printable = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const alphabet = new Map<number, number>();
  let moved = 0;
  for (let byte = 0; byte < 256; byte++) alphabet.set(printable(byte) ? byte : 0x100 + moved++, byte);
  return alphabet;
}

/** What tokens stand for in a text, by the kind of `decoder` in tokenizer.json. */
export interface Pieces {
  pieceOf(token: string, isAdded: boolean): TokenPiece;
  /** A space at the very beginning of a text belongs to the encoding. */
  stripsFirstSpace: boolean;
}

type Step = Record<string, unknown>;

interface DecoderConfig extends Step {
  type: string;
  decoders?: readonly Step[];
}

/** `undefined` for a decoder whose tokens change with their neighbours. */
export function piecesOf(decoder: DecoderConfig | null): Pieces | undefined {
  if (decoder === null) return undefined;
  const steps: readonly Step[] = decoder.type === "Sequence" ? (decoder.decoders ?? []) : [decoder];
  const types = steps.map((step) => step["type"]).join(" ");
  if (types === "ByteLevel") return { pieceOf: (token, isAdded) => (isAdded ? token : bytesOfToken(token)), stripsFirstSpace: false };
  if (!/^Replace ByteFallback Fuse( Strip)?$/.test(types) || !isSpaces(steps[0]!) || (steps.length > 3 && !isFirstSpace(steps[3]!))) return undefined;
  return { pieceOf: bytesOfSentencePiece, stripsFirstSpace: steps.length > 3 };
}

/** The bytes a token stands for. A token with a character outside the alphabet stands for its own UTF-8 text. */
function bytesOfToken(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTE_OF_CODE_POINT.get(character.codePointAt(0)!);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function bytesOfSentencePiece(token: string): Uint8Array {
  const byte = BYTE_TOKEN.exec(token)?.[1];
  return byte === undefined ? new TextEncoder().encode(token.replaceAll(SPACE, " ")) : Uint8Array.of(Number.parseInt(byte, 16));
}

function isSpaces({ pattern, content }: Step): boolean {
  return content === " " && typeof pattern === "object" && pattern !== null && "String" in pattern && pattern.String === SPACE;
}

function isFirstSpace({ content, start, stop }: Step): boolean {
  return content === " " && start === 1 && stop === 0;
}
