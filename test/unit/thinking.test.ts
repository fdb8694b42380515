import { describe, expect, it } from "vitest";
import { promptOpensThinking, templateThinks, ThinkingSplitter } from "../../src/engine/generate/thinking.js";

function split(deltas: readonly string[], isOpen: boolean): { reasoning: string; text: string } {
  const splitter = new ThinkingSplitter(isOpen);
  const joined = { reasoning: "", text: "" };
  for (const piece of [...deltas.flatMap((delta) => splitter.feed(delta)), ...splitter.end()]) joined[piece.type] += piece.text;
  return joined;
}

const CASES: [what: string, isOpen: boolean, whole: string, reasoning: string, text: string][] = [
  ["no thinking", false, " Hello <think> there\n", "", " Hello <think> there\n"],
  ["thinking", false, "<think>\nLet me\n\nsee. \n</think>\n\nYes.\n", "Let me\n\nsee.", "Yes.\n"],
  ["white space before", false, "\n<think>a</think>b", "a", "b"],
  ["empty thinking", false, "<think>\n\n</think>\n\nYes.", "", "Yes."],
  ["a block the prompt has opened", true, "Let me see.\n</think>\n\nYes.", "Let me see.", "Yes."],
  ["the block opened again", true, "<think>\na</think>b", "a", "b"],
  ["tags in the answer", false, "<think>a</think>b </think> <think>c", "a", "b </think> <think>c"],
  ["thinking cut short", false, "<think>a </thi", "a </thi", ""],
  ["an opening cut short", false, "<thi", "", "<thi"],
  ["nothing", true, "", "", ""],
  ["less-than signs", false, "<think>a < b </ c</think>1 < 2", "a < b </ c", "1 < 2"],
];

describe("thinking", () => {
  it.each(CASES)("is split off: %s", (_what, isOpen, whole, reasoning, text) => {
    expect(split([whole], isOpen)).toEqual({ reasoning, text });
  });

  it.each(CASES)("is split off however the answer is cut: %s", (_what, isOpen, whole, reasoning, text) => {
    for (let cut = 0; cut <= whole.length; cut++) expect(split([whole.slice(0, cut), whole.slice(cut)], isOpen)).toEqual({ reasoning, text });
    expect(split([...whole], isOpen)).toEqual({ reasoning, text });
  });

  it("is known from the template and from how the prompt ends", () => {
    expect(templateThinks("{%- if '</think>' in content %}")).toBe(true);
    expect(templateThinks("{{ message.content }}")).toBe(false);
    expect(promptOpensThinking("<|im_start|>assistant\n<think>\n")).toBe(true);
    expect(promptOpensThinking("<|im_start|>assistant\n<think>\n\n</think>\n\n")).toBe(false);
  });
});
