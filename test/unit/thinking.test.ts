import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withThinking, type GenerationDelta } from "../../src/engine/generate/thinking-stream.js";
import { promptOpensThinking, templateThinks, ThinkingSplitter } from "../../src/engine/generate/thinking.js";
import { load, type GenerationOutput } from "../../src/index.js";

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

describe("a stream with thinking", () => {
  async function* textOf(parts: readonly string[], onReturn?: () => void): AsyncGenerator<{ text: string; tokenIds: number[] }, { text: string; tokenIds: number[] }> {
    try {
      for (const [i, text] of parts.entries()) yield { text, tokenIds: [i] };
      return { text: parts.join(""), tokenIds: [...parts.keys()] };
    } finally {
      onReturn?.();
    }
  }

  it.each(CASES)("has it apart, each token once: %s", async (_what, isOpen, whole, reasoning, text) => {
    const stream = withThinking(textOf([...whole]), () => ({ isOpen }));
    const deltas: GenerationDelta[] = [];
    for (;;) {
      const { value, done } = await stream.next();
      if (done) {
        expect(value).toEqual({ text, reasoning, tokenIds: [...[...whole].keys()] });
        break;
      }
      deltas.push(value);
    }
    expect(deltas.map((delta) => delta.text).join("")).toBe(text);
    expect(deltas.map((delta) => delta.reasoning).join("")).toBe(reasoning);
    expect(deltas.flatMap(({ tokenIds }) => tokenIds)).toEqual([...[...whole].keys()]);
  });

  it("leaves the text of a model that does not think as it is", async () => {
    const stream = withThinking(textOf(["<think>", "a</think>", ""]), () => undefined);
    expect(await stream.next()).toEqual({ value: { text: "<think>", reasoning: "", tokenIds: [0] }, done: false });
    expect(await stream.next()).toEqual({ value: { text: "a</think>", reasoning: "", tokenIds: [1] }, done: false });
    expect(await stream.next()).toEqual({ value: { text: "", reasoning: "", tokenIds: [2] }, done: false });
    expect(await stream.next()).toEqual({ value: { text: "<think>a</think>", reasoning: "", tokenIds: [0, 1, 2] }, done: true });
  });

  it("ends with whoever leaves it", async () => {
    let ended = false;
    const stream = withThinking(textOf(["a", "b"], () => (ended = true)), () => undefined);
    await stream.next();
    await stream.return(undefined as never);
    expect(ended).toBe(true);
  });
});

// A random model, whose greedy words mean nothing but are there.
describe("a model that thinks", () => {
  const ANSWER = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content if m.content is string else m.content[-1].text }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n";
  const NO_THINKING = `${ANSWER}Action:`;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "deskhand-thinking-"));
    await cp(fileURLToPath(new URL("../golden/fixtures/qwen3/model", import.meta.url)), dir, { recursive: true });
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function answers(template: string): Promise<{ generated: GenerationOutput; streamed: GenerationDelta; chatted: GenerationOutput; raw: GenerationOutput }> {
    await writeFile(join(dir, "chat_template.jinja"), template);
    await using model = await load(dir);
    const options = { temperature: 0, maxTokens: 8 };
    const streamed: GenerationDelta = { text: "", reasoning: "", tokenIds: [] };
    for await (const { text, reasoning, tokenIds } of model.streamGenerate("press OK", options)) {
      streamed.text += text;
      streamed.reasoning += reasoning;
      streamed.tokenIds.push(...tokenIds);
    }
    return {
      generated: await model.generate("press OK", options),
      streamed,
      chatted: await model.chat([{ role: "user", content: "press OK" }], options),
      raw: await model.generate("press OK", { ...options, raw: true }),
    };
  }

  it.each([
    ["whose prompt opens the block", `${ANSWER}<think>\n`, "reasoning", "text"],
    ["whose prompt has closed the block", `${ANSWER}<think>\n\n</think>\n\n`, "text", "reasoning"],
    ["that does not", NO_THINKING, "text", "reasoning"],
  ] as const)("%s", async (_what, template, full, empty) => {
    const { generated, streamed, chatted, raw } = await answers(template);
    expect(generated[full]).not.toBe("");
    expect(generated[empty]).toBe("");
    expect(streamed).toEqual({ text: generated.text, reasoning: generated.reasoning, tokenIds: generated.tokenIds });
    expect([chatted.text, chatted.reasoning]).toEqual([generated.text, generated.reasoning]);
    // A raw prompt's text is whole, whatever the template.
    expect(raw.text).not.toBe("");
    expect(raw.reasoning).toBe("");
  });
});
