import type { Tokenizer } from "../tokenizer/tokenizer.js";

/** A word and the tokens it is made of, as places in the list it was split from. */
export interface WordTokens {
  text: string;
  indices: number[];
}

/** Languages written without spaces: every character is a word. */
const WITHOUT_SPACES: ReadonlySet<string> = new Set(["zh", "ja", "th", "lo", "my", "yue"]);
const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const OPENING = "\"'“¡¿([{-";
const CLOSING = "\"'.。,，!！?？:：”)]}、";
const REPLACEMENT = "\ufffd";

/** Groups text tokens into words, punctuation with the word it belongs to (transformers 5.23, `_combine_tokens_into_words`). */
export function splitWords(tokenizer: Tokenizer, tokens: readonly number[], language: string): WordTokens[] {
  const characters = splitCharacters(tokenizer, tokens);
  return mergePunctuation(WITHOUT_SPACES.has(language) ? characters : joinBySpaces(characters));
}

/** The shortest runs of tokens that decode to whole characters. */
function splitCharacters(tokenizer: Tokenizer, tokens: readonly number[]): WordTokens[] {
  const whole = tokenizer.decode(tokens);
  const pieces: WordTokens[] = [];
  let indices: number[] = [];
  let decoded = 0;
  tokens.forEach((_, i) => {
    indices.push(i);
    const text = tokenizer.decode(indices.map((index) => tokens[index]!));
    const broken = text.indexOf(REPLACEMENT);
    // A replacement that is in the whole text too is no character cut in two.
    if (broken >= 0 && decoded + broken < whole.length && whole[decoded + broken] !== REPLACEMENT) return;
    pieces.push({ text, indices });
    decoded += text.length;
    indices = [];
  });
  return pieces;
}

function joinBySpaces(pieces: readonly WordTokens[]): WordTokens[] {
  const words: WordTokens[] = [];
  for (const { text, indices } of pieces) {
    const last = words.at(-1);
    if (last === undefined || text.startsWith(" ") || PUNCTUATION.includes(stripped(text))) words.push({ text, indices: [...indices] });
    else {
      last.text += text;
      last.indices.push(...indices);
    }
  }
  return words;
}

function mergePunctuation(words: WordTokens[]): WordTokens[] {
  const join = (first: WordTokens, second: WordTokens, into: WordTokens): void => {
    const [text, indices] = [first.text + second.text, [...first.indices, ...second.indices]];
    const emptied = into === first ? second : first;
    Object.assign(emptied, { text: "", indices: [] });
    Object.assign(into, { text, indices });
  };
  for (let i = words.length - 2, next = words.length - 1; i >= 0; i--) {
    const [opening, word] = [words[i]!, words[next]!];
    if (opening.text.startsWith(" ") && OPENING.includes(stripped(opening.text))) join(opening, word, word);
    else next = i;
  }
  for (let i = 0, next = 1; next < words.length; next++) {
    const [word, closing] = [words[i]!, words[next]!];
    if (!word.text.endsWith(" ") && CLOSING.includes(closing.text)) join(word, closing, word);
    else i = next;
  }
  return words.filter(({ text }) => text !== "");
}

/** Without space at either end, of which the reference (Python) has a few characters more. */
function stripped(text: string): string {
  const isSpace = (char: string | undefined): boolean => char !== undefined && (char.trim() === "" || (char >= "\u001c" && char <= "\u001f") || char === "\u0085");
  let [start, end] = [0, text.length];
  while (isSpace(text[start])) start++;
  while (end > start && isSpace(text[end - 1])) end--;
  return text.slice(start, end);
}
