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

/** The bytes a token stands for. A token with a character outside the alphabet stands for its own UTF-8 text. */
export function bytesOfToken(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTE_OF_CODE_POINT.get(character.codePointAt(0)!);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
