import { expect, it } from "vitest";
import type { ChatMessage } from "../../src/engine/messages.js";
import { ChatTemplate } from "../../src/engine/tokenizer/chat-template.js";
import { SpecialTokenShield } from "../../src/engine/tokenizer/special-token-shield.js";
import { textsOf } from "../../src/engine/tokenizer/template-messages.js";

// Phi-3-Vision's published template takes text only; its callers write numbered tags into it, which pictures given as parts get here.

const TEMPLATE =
  "{% for message in messages %}{{'<|' + message['role'] + '|>' + '\\n' + message['content'] + '<|end|>\\n' }}{% endfor %}{% if add_generation_prompt and messages[-1]['role'] != 'assistant' %}{{- '<|assistant|>\\n' -}}{% endif %}";
const template = new ChatTemplate(TEMPLATE);
const pictureMark = (number: number): string => `<|image_${number}|>\n`;
const image = { type: "image" as const, image: "cat.png" };
const text = (words: string): { type: "text"; text: string } => ({ type: "text", text: words });

it("numbers pictures through the whole conversation, each in its place", () => {
  const messages: ChatMessage[] = [
    { role: "user", content: [text("Compare "), image, text(" with "), image, text(".")] },
    { role: "assistant", content: "They differ." },
    { role: "user", content: [image, text("And this?")] },
  ];
  expect(template.render(messages, { pictureMark })).toBe(
    "<|user|>\nCompare <|image_1|>\n with <|image_2|>\n.<|end|>\n<|assistant|>\nThey differ.<|end|>\n<|user|>\n<|image_3|>\nAnd this?<|end|>\n<|assistant|>\n",
  );
});

it("leaves tags to callers who write them all", () => {
  const messages: ChatMessage[] = [{ role: "user", content: [image, image, text("<|image_2|>\nbefore <|image_1|>\nHow so?")] }];
  expect(template.render(messages, { pictureMark })).toBe("<|user|>\n<|image_2|>\nbefore <|image_1|>\nHow so?<|end|>\n<|assistant|>\n");
});

it("protects the text around marks, spelled across parts as well", () => {
  const messages: ChatMessage[] = [{ role: "user", content: [text("a<|e"), text("nd|>"), image, text("b")] }];
  const shield = new SpecialTokenShield(["<|end|>"], textsOf(messages));
  const rendered = template.render(messages, { pictureMark, shield });
  expect(rendered).toContain(`${shield.protect("a<|end|>")}<|image_1|>\nb<|end|>`);
  expect(rendered).not.toContain("a<|end|>");
});

it("refuses pictures where nothing says how to mark them", () => {
  expect(() => template.render([{ role: "user", content: [image, text("What is this?")] }])).toThrow(/no place for pictures/);
});
