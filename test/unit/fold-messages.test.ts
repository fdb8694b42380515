import { describe, expect, it } from "vitest";
import type { ChatMessage, ContentPart, ToolDefinition } from "../../src/engine/messages.js";
import { ChatTemplate } from "../../src/engine/tokenizer/chat-template.js";
import { mergeNeighbours, systemToUser } from "../../src/engine/tokenizer/fold-messages.js";
import { hermes } from "../../src/engine/tools/hermes.js";
import { promptTools, pythonSignature } from "../../src/engine/tools/prompted-tools.js";
import { generator } from "./support/tool-format-cases.js";

/** As Gemma 1's and Mistral's templates refuse: no system role, and turns in strict alternation. */
const STRICT = new ChatTemplate(
  "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}[{{ m.role }}] {{ m.content }} {% endfor %}",
);
const ALTERNATING = new ChatTemplate("{% for m in messages %}{% if not loop.first and messages[loop.index0 - 1].role == m.role %}{{ raise_exception('twice') }}{% endif %}[{{ m.role }}] {{ m.content }} {% endfor %}");

const WEATHER: ToolDefinition = {
  name: "get_weather",
  description: "The weather.",
  parameters: { type: "object", properties: { city: { type: "string", description: "Where." }, days: { type: "integer", default: 1 }, unit: { enum: ["C", "F"] } }, required: ["city"] },
};

describe("messages a template refuses", () => {
  it("have their system message said by the user and acknowledged", () => {
    const messages: ChatMessage[] = [{ role: "system", content: "Be brief." }, { role: "user", content: "Hi" }];
    expect(STRICT.render(messages)).toBe("[user] Be brief. [assistant] Understood. [user] Hi ");
  });

  it("are merged with neighbours of the same role, and nothing is lost", () => {
    const messages: ChatMessage[] = [{ role: "system", content: "s1" }, { role: "system", content: "s2" }, { role: "user", content: "u1" }, { role: "user", content: [{ type: "text", text: "u2" }] }, { role: "assistant", content: "a1" }, { role: "assistant", content: "a2" }, { role: "system", content: "s3" }];
    expect(STRICT.render(messages)).toBe("[user] s1\n\ns2 [assistant] Understood. [user] u1\n\nu2 [assistant] a1\n\na2 [user] s3 ");
  });

  it("keep their system message where only repeated roles are refused", () => {
    expect(ALTERNATING.render([{ role: "system", content: "s" }, { role: "user", content: "a" }, { role: "user", content: "b" }])).toBe("[system] s [user] a\n\nb ");
  });
});

describe("templates that know no tools", () => {
  it("get definitions as Python signatures with docstrings", () => {
    expect(pythonSignature(WEATHER)).toBe('def get_weather(city: str, days: int = 1, unit: Literal["C", "F"] = None) -> dict:\n    """The weather.\n\n    Args:\n        city: Where.\n    """');
    expect(pythonSignature({ name: "now" })).toBe("def now() -> dict:\n    ...");
  });

  it("get calls and results as text, in roles they allow", () => {
    const messages: ChatMessage[] = [
      { role: "user", content: "Weather?" },
      { role: "assistant", content: "", toolCalls: [{ id: "1", name: "get_weather", arguments: '{"city":"Oslo"}' }] },
      { role: "tool", toolCallId: "1", content: "12" },
    ];
    const text = STRICT.render(messages, { tools: [WEATHER] });
    expect(text).toContain("[user] You can call these Python functions:");
    expect(text).toContain("def get_weather(city: str");
    expect(text).toContain('[assistant] Understood. [user] Weather? [assistant] ```tool_code\nget_weather(city="Oslo")\n``` [user] ```tool_output\n12\n``` ');
  });
});

describe("folding loses nothing", () => {
  /** Conversations in any order of roles, each text, picture, call and result with a name of its own. */
  function conversation(seed: number): ChatMessage[] {
    const random = generator(seed);
    let made = 0;
    const name = (): string => `<${seed}.${made++}>`;
    const part = (): ContentPart => (random(3) === 0 ? { type: "image", image: name() } : { type: "text", text: name() });
    const content = (): ChatMessage["content"] => [() => name(), () => "", () => [], () => Array.from({ length: 1 + random(3) }, part)][random(6) % 4]!();
    return Array.from({ length: 1 + random(9) }, (): ChatMessage => {
      const role = (["system", "user", "assistant", "tool"] as const)[random(4)]!;
      if (role === "tool") return { role, toolCallId: "1", content: name() };
      if (role !== "assistant" || random(2) === 0) return { role, content: content() };
      return { role, content: content(), toolCalls: Array.from({ length: 1 + random(2) }, () => ({ id: "1", name: "f", arguments: JSON.stringify({ a: name() }) })) };
    });
  }

  const names = (text: string): string[] => text.match(/<\d+\.\d+>/g) ?? [];
  /** Names in the contents, in order; and in the calls. */
  const inContents = (messages: readonly ChatMessage[]): string[] => names(JSON.stringify(messages.map((message) => message.content)));
  const inCalls = (messages: readonly ChatMessage[]): string[] => names(JSON.stringify(messages.map((message) => (message.role === "assistant" ? message.toolCalls : []))));
  const seeds = Array.from({ length: 500 }, (_, seed) => seed);

  it.each([["neighbours merged", mergeNeighbours], ["the system's said by the user", systemToUser]] as const)("%s", (_what, fold) => {
    for (const messages of seeds.map(conversation)) {
      const folded = fold(messages);
      expect(inContents(folded)).toEqual(inContents(messages));
      expect(inCalls(folded)).toEqual(inCalls(messages));
      expect(folded.every((message, i) => i === 0 || message.role === "tool" || message.role !== folded[i - 1]!.role)).toBe(true);
      if (fold === systemToUser) expect(folded.some(({ role }) => role === "system")).toBe(false);
    }
  });

  it("calls and results in the text", () => {
    for (const messages of seeds.map(conversation)) {
      const shown = promptTools(messages, [WEATHER], hermes);
      // A call stands behind its message's text.
      expect(inContents(shown)).toEqual(messages.flatMap((message) => [...inContents([message]), ...inCalls([message])]));
    }
  });

  it("in the prompt of a template that forbids it all", () => {
    for (const messages of seeds.map(conversation)) {
      const texts = messages.map((message): ChatMessage => ({ ...message, content: typeof message.content === "string" ? message.content : message.content.filter(({ type }) => type === "text") }));
      const prompt = STRICT.render([{ role: "user", content: "Hi" }, ...texts]);
      expect(names(prompt)).toEqual(texts.flatMap((message) => [...inContents([message]), ...inCalls([message])]));
    }
  });
});
