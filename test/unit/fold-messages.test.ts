import { describe, expect, it } from "vitest";
import type { ChatMessage, ToolDefinition } from "../../src/engine/messages.js";
import { ChatTemplate } from "../../src/engine/tokenizer/chat-template.js";
import { pythonSignature } from "../../src/engine/tools/prompted-tools.js";

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
