import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { DeskhandError } from "../../src/core/errors.js";
import { JinjaTemplate } from "../../src/engine/jinja/template.js";
import type { ChatMessage, ContentPart, ToolDefinition } from "../../src/engine/messages.js";
import { ChatTemplate, type RenderOptions } from "../../src/engine/tokenizer/chat-template.js";
import { SpecialTokenShield } from "../../src/engine/tokenizer/special-token-shield.js";
import { textsOf } from "../../src/engine/tokenizer/template-messages.js";
import { detectToolCallFormat } from "../../src/engine/tools/detect.js";
import { goldenJson } from "./support/golden.js";
import { publishedTemplates } from "./support/published-templates.js";

interface Chat {
  messages: { role: string; content: string | { type: string; text?: string }[]; tool_calls?: { id: string; function: { name: string; arguments: unknown } }[]; tool_call_id?: string; name?: string }[];
  tools?: { function: ToolDefinition }[];
  add_generation_prompt?: boolean;
  variables?: Record<string, unknown>;
}

/** What jinja2 makes of each chat; `null` where the template raises an exception. */
interface Golden {
  now: string;
  chats: Record<string, Chat>;
  rendered: Record<string, Record<string, string | null>>;
}

const golden = await goldenJson<Golden>("published-templates/templates.json");
const templates = publishedTemplates();
const compiled = new Map<string, ChatTemplate>();

function template(name: string): ChatTemplate {
  const known = compiled.get(name) ?? new ChatTemplate(templates.get(name)!, { bos_token: "<s>", eos_token: "</s>" });
  compiled.set(name, known);
  return known;
}

function ourMessage({ role, content: given, tool_calls: calls, tool_call_id: id, name }: Chat["messages"][number]): ChatMessage {
  const content = typeof given === "string" ? given : given.map((part): ContentPart => (part.type === "text" ? { type: "text", text: part.text ?? "" } : { type: "image", image: "x.png" }));
  if (role === "tool") return { role, content, toolCallId: id ?? "", name };
  if (role !== "assistant") return { role: role === "system" ? "system" : "user", content };
  return { role, content, toolCalls: calls?.map((call) => ({ id: call.id, name: call.function.name, arguments: JSON.stringify(call.function.arguments) })) };
}

function render(name: string, chatName: string, options: RenderOptions = {}): string {
  const chat = golden.chats[chatName]!;
  return template(name).render(chat.messages.map(ourMessage), { tools: chat.tools?.map((tool) => tool.function), addGenerationPrompt: chat.add_generation_prompt, variables: chat.variables, ...options });
}

// Some templates write today's date.
beforeAll(() => {
  vi.useFakeTimers({ now: new Date(golden.now), toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
});

it("every published template has been rendered by jinja2", () => {
  expect(Object.keys(golden.rendered).sort()).toEqual([...templates.keys()].sort());
  expect(templates.size).toBeGreaterThan(100);
});

describe.each([...templates.keys()])("the chat template %s", (name) => {
  const rows = Object.entries(golden.rendered[name]!);

  it("renders as jinja2 renders it with transformers' settings", () => {
    for (const [chat, text] of rows) if (text !== null) expect(render(name, chat), chat).toBe(text);
  });

  it("takes folded messages where it refuses them as they are, or the request is at fault", () => {
    for (const [chat, text] of rows) {
      if (text !== null) continue;
      let folded: string | undefined;
      try {
        folded = render(name, chat);
      } catch (error) {
        expect(error, chat).toMatchObject({ code: "invalid_argument" } satisfies Partial<DeskhandError>);
      }
      if (chat === "system" && typeof golden.rendered[name]!["system, folded"] === "string") expect(folded).toBe(golden.rendered[name]!["system, folded"]);
    }
  });

  it("passes on the marks that keep a client's text from becoming control tokens", () => {
    for (const [chat, text] of rows) {
      if (text === null) continue;
      const { messages, tools } = golden.chats[chat]!;
      const shield = new SpecialTokenShield(["<b>", "日本", "12 °", "Zürich"], textsOf(messages.map(ourMessage), tools?.map((tool) => tool.function)));
      expect(render(name, chat, { shield }).replaceAll(shield.mark, ""), chat).toBe(text);
    }
  });
});

describe("Jinja as Python means it", async () => {
  const { variables, expressions } = await goldenJson<{ variables: Record<string, unknown>; expressions: { source: string; text: string }[] }>("published-templates/expressions.json");

  it.each(expressions)("$source", ({ source, text }) => {
    expect(new JinjaTemplate(source).render({ messages: [], tools: null, documents: null, add_generation_prompt: false, ...variables })).toBe(text);
  });
});

/** Formats by template; every other template teaches none of those known. */
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  hermes: ["cogito:14b", "granite4:350m", "granite4:latest", "qwen2.5", "qwen2.5-coder:1.5b", "qwen2.5:0.5b", "qwen3-next:80b", "qwen3:0.6b", "qwq:32b", "qwq:32b'", "qwq:32b''", "rnj-1:latest", "fixture qwen3-vl"],
  "qwen-xml": ["qwen3-coder:30b", "own qwen3.5"],
  "llama-json": ["llama3.1:8b", "llama3.2-vision:90b", "llama3.2-vision:latest", "llama3.2:3b", "llama4:latest", "nemotron:70b"],
  deepseek: ["deepcoder:14b", "deepseek-r1:8b", "deepseek-r1:latest", "deepseek-v2.5:236b", "deepseek-v3:671b", "deepseek-v3.1:latest", "r1-1776:671b"],
  phi: ["granite3-dense:2b", "granite3.1-moe:1b", "granite3.2-vision:2b", "granite3.2:8b", "granite3.3:2b", "phi4-mini-reasoning:3.8b", "phi4-mini:3.8b"],
  mistral: ["own mistral3"],
  glm: ["own glm-4.5"],
  kimi: ["own kimi-k2"],
  lfm: ["own lfm2"],
};

it.each([...templates.keys()])("the tool format of %s is found by its marks", (name) => {
  const expected = Object.keys(FORMATS).find((format) => FORMATS[format]!.includes(name));
  expect(detectToolCallFormat(templates.get(name)!)?.name).toBe(expected);
});

it("names templates that are there", () => {
  for (const name of Object.values(FORMATS).flat()) expect([...templates.keys()]).toContain(name);
});
