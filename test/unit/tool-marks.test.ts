import { describe, expect, it } from "vitest";
import { TOOL_CALL_FORMATS, toolCallFormat } from "../../src/engine/tools/detect.js";
import { CASES, generator, parse, type Parsed } from "./support/tool-format-cases.js";

// What no answer may lead to, however broken: an exception, a mark in the content or half of one at its end, text that is gone.

const FORMATS = TOOL_CALL_FORMATS.map(({ name }) => name);

const answersOf = (format: string): string[] => CASES.filter(([one]) => one === format).map(([, text]) => text);
const marksOf = (format: string): readonly string[] => toolCallFormat(format).marks;

/** Without marks and white space. */
function bare(format: string, text: string): string {
  const escaped = marksOf(format).map((mark) => mark.replaceAll(/[[\]|]/g, "\\$&"));
  return text.replaceAll(new RegExp([...escaped, "\\s"].join("|"), "g"), "");
}

/** Half a mark or more of one, with which the text ends. */
function cutMark(format: string, text: string): string {
  const halves = marksOf(format).flatMap((mark) => Array.from({ length: mark.length >> 1 }, (_, i) => mark.slice(0, mark.length - 1 - i)));
  return halves.filter((half) => text.endsWith(half)).sort((one, other) => other.length - one.length)[0] ?? "";
}

/** What is wrong with the answer to this text; it costs less than an `expect` each time. */
function faults(format: string, whole: string, { text, calls }: Parsed): string[] {
  const cut = cutMark(format, whole);
  const before = whole.slice(0, whole.length - cut.length);
  return [
    ...marksOf(format).filter((mark) => text.includes(mark)).map((mark) => `${mark} in the content of ${JSON.stringify(whole)}`),
    ...(cut !== "" && text.endsWith(cut) && !before.trimEnd().endsWith(cut) ? [`${cut} at the end of the content of ${JSON.stringify(whole)}`] : []),
    // Where nothing was a call, the content is all there was, but for half a mark at the end. Tags of text may be cut as well.
    ...(calls.length === 0 && !isAllOf(bare(format, before), bare(format, text)) ? [`${JSON.stringify(text)} is not all of ${JSON.stringify(whole)}`] : []),
  ]; // prettier-ignore
}

function isAllOf(expected: string, shown: string): boolean {
  return expected === shown || (expected.startsWith(shown) && /^(<\/?(func|param)|```t)/.test(expected.slice(shown.length)));
}

/** Faults of the answer, and whether it is another when it comes character by character. */
function faultsOf(format: string, whole: string): string[] {
  const parsed = parse(format, [whole]);
  const isSame = JSON.stringify(parse(format, [...whole])) === JSON.stringify(parsed);
  return [...faults(format, whole, parsed), ...(isSame ? [] : [`character by character other than whole: ${JSON.stringify(whole)}`])];
}

describe.each(FORMATS)("broken answers in the format %s", (format) => {
  it("are cut anywhere", () => {
    const cuts = answersOf(format).flatMap((whole) => Array.from({ length: whole.length + 1 }, (_, end) => whole.slice(0, end)));
    expect(cuts.flatMap((cut) => faults(format, cut, parse(format, [cut])))).toEqual([]);
  });

  it("are cut anywhere, and arrive in two pieces split anywhere", () => {
    const random = generator(3);
    for (const whole of answersOf(format)) {
      const cut = whole.slice(0, random(whole.length));
      const pairs = Array.from({ length: cut.length + 1 }, (_, at) => parse(format, [cut.slice(0, at), cut.slice(at)]));
      expect(new Set(pairs.map((parsed) => JSON.stringify(parsed))).size, cut).toBe(1);
    }
  });

  it("are made of pieces of answers, marks and halves of marks", () => {
    const whole = answersOf(format);
    const halves = marksOf(format).flatMap((mark) => [mark.slice(0, mark.length >> 1), mark.slice(0, -1), mark.slice(mark.length >> 1), mark.slice(1)]);
    const pieces = [...marksOf(format), ...halves, ...whole, ...whole.flatMap((text) => text.match(/[\w-]+|\s+|[^\w\s]+/g) ?? []), "\\", "[[[[", "{{", "'", '"', "\u0000", "😀", "x", " "];
    const random = generator(99);
    const texts = Array.from({ length: 500 }, () => Array.from({ length: 1 + random(10) }, () => pieces[random(pieces.length)]!).join("")); // prettier-ignore
    expect(texts.flatMap((text) => faultsOf(format, text))).toEqual([]);
  });

  it("differ from a good one in one character", () => {
    const random = generator(5);
    const answers = answersOf(format);
    const texts = Array.from({ length: 200 }, () => {
      const good = answers[random(answers.length)]!;
      const at = random(good.length);
      return good.slice(0, at) + ["", good.slice(at, at + 1).repeat(2), "<", '"', "}"][random(5)]! + good.slice(at + 1);
    });
    expect(texts.flatMap((text) => faultsOf(format, text))).toEqual([]);
  });

  it("are random characters", () => {
    const random = generator(8);
    const characters = [...'<>[]{}()|/"\'`\\=,:; \nabc_toolcaltrue019｜▁é日😀\u0000\ufeff'];
    const texts = Array.from({ length: 300 }, () => Array.from({ length: random(60) }, () => characters[random(characters.length)]!).join("")); // prettier-ignore
    expect(texts.flatMap((text) => faultsOf(format, text))).toEqual([]);
  });

  it("lose no word that stands between calls and broken calls", () => {
    const answers = answersOf(format);
    const random = generator(21);
    const lost: string[] = [];
    for (let round = 0; round < 150; round++) {
      const words: string[] = [];
      const parts = Array.from({ length: 1 + random(5) }, (_, i) => {
        const answer = answers[random(answers.length)]!;
        words.push(`word${round}x${i}`);
        return `${words[i]} ${random(2) === 0 ? answer : answer.slice(0, random(answer.length))}\n`;
      });
      const { text, calls } = parse(format, [parts.join("")]);
      const all = text + JSON.stringify(calls);
      if (words.some((word) => all.split(word).length !== 2)) lost.push(JSON.stringify([parts.join(""), text, calls]));
    }
    expect(lost).toEqual([]);
  });

  it("nest deeper than any stack", () => {
    const deep = toolCallFormat(format).render([{ name: "now", arguments: "{}" }]).replace(/[({]/, (open) => open + "[".repeat(20_000)); // prettier-ignore
    expect(faults(format, deep, parse(format, [deep]))).toEqual([]);
  });
});
