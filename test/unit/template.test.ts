import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { ChatMessage, ContentPart, ToolDefinition } from "../../src/engine/messages.js";
import { ChatTemplate, missingChatTemplate } from "../../src/engine/tokenizer/chat-template.js";
import { goldenJson } from "./support/golden.js";
import { QWEN_DIR } from "./support/qwen-tokenizer.js";
import chatTemplates from "./fixtures/chat-templates.json" with { type: "json" };

/** A conversation as the reference takes it: OpenAI's shape. */
interface ReferenceChat {
  name: string;
  messages: {
    role: string;
    content: string | { type: string; text?: string }[];
    tool_calls?: { id?: string; function: { name: string; arguments: unknown } }[];
    tool_call_id?: string;
    name?: string;
  }[];
  tools?: { function: { name: string; description?: string; parameters: Record<string, unknown> } }[];
  add_generation_prompt?: boolean;
  variables?: Record<string, unknown>;
  rendered: string;
}

function ourMessage(message: ReferenceChat["messages"][number]): ChatMessage {
  const content = typeof message.content === "string" ? message.content : message.content.map((part): ContentPart => (part.type === "text" ? { type: "text", text: part.text ?? "" } : { type: "image", image: "x.png" }));
  if (message.role === "assistant") {
    const toolCalls = message.tool_calls?.map((call) => ({ id: call.id ?? "call_0", name: call.function.name, arguments: JSON.stringify(call.function.arguments) }));
    return { role: "assistant", content, ...(toolCalls ? { toolCalls } : {}) };
  }
  if (message.role === "tool") return { role: "tool", content, toolCallId: message.tool_call_id ?? "call_0" };
  return { role: message.role === "system" ? "system" : "user", content };
}

function render(template: ChatTemplate, chat: ReferenceChat): string {
  const tools = chat.tools?.map((tool): ToolDefinition => tool.function);
  return template.render(chat.messages.map(ourMessage), { tools, addGenerationPrompt: chat.add_generation_prompt, variables: chat.variables });
}

const thinking = new ChatTemplate(await readFile(new URL("fixtures/thinking.jinja", import.meta.url), "utf8"), { bos_token: "<s>", eos_token: "<|im_end|>" });

describe("chat templates render as transformers renders them", () => {
  it.each((chatTemplates as unknown as Record<string, ReferenceChat[]>)["qwen2.5"]!.map((chat) => [chat.name, chat] as const))("Qwen2.5's own: %s", async (_name, chat) => {
    const template = await ChatTemplate.load(QWEN_DIR, { eos_token: "<|im_end|>" });
    expect(render(template!, chat)).toBe(chat.rendered);
  });

  it.each((chatTemplates as unknown as Record<string, ReferenceChat[]>)["thinking"]!.map((chat) => [chat.name, chat] as const))("one that uses what newer ones use: %s", (_name, chat) => {
    expect(render(thinking, chat)).toBe(chat.rendered);
  });

  it("the embedded model's", async () => {
    const template = (await ChatTemplate.load(fileURLToPath(new URL("../../models/tiny", import.meta.url)), {}))!;
    const chats = await goldenJson<ReferenceChat[]>("chat-template.json");
    expect(chats.length).toBeGreaterThan(3);
    for (const chat of chats) expect(render(template, chat), chat.name).toBe(chat.rendered);
  });
});

describe("messages for templates", () => {
  const user: ChatMessage = { role: "user", content: "Hi" };
  const seen = (messages: ChatMessage[], source = "{{ messages | tojson }}{% if tools %}{% endif %}", tools?: ToolDefinition[]): unknown => JSON.parse(new ChatTemplate(source).render(messages, { tools }));

  it("gives tool arguments as objects, and as they are where they are not JSON", () => {
    const call = (text: string): ChatMessage => ({ role: "assistant", content: "", toolCalls: [{ id: "call_1", name: "f", arguments: text }] });
    expect(seen([call('{"a": 1}'), call("{broken")])).toMatchObject([{ tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: { a: 1 } } }] }, { tool_calls: [{ function: { arguments: "{broken" } }] }]);
  });

  it("names a tool's result after the call it answers", () => {
    const messages: ChatMessage[] = [
      user,
      { role: "assistant", content: "", toolCalls: [{ id: "call_1", name: "get_weather", arguments: "{}" }] },
      { role: "tool", content: "12", toolCallId: "call_1" },
      { role: "tool", content: "13", toolCallId: "call_1", name: "own_name" },
      { role: "tool", content: "14", toolCallId: "call_9" },
    ];
    expect(seen(messages)).toMatchObject([{}, {}, { role: "tool", content: "12", tool_call_id: "call_1", name: "get_weather" }, { name: "own_name" }, { tool_call_id: "call_9" }]);
  });

  it("gives tools in OpenAI's shape, with parameters always", () => {
    expect(seen([user], "{{ tools | tojson }}", [{ name: "now" }, { name: "f", description: "d", parameters: { type: "object", properties: { a: {} } } }])).toEqual([
      { type: "function", function: { name: "now", parameters: { type: "object", properties: {} } } },
      { type: "function", function: { name: "f", description: "d", parameters: { type: "object", properties: { a: {} } } } },
    ]);
    expect(new ChatTemplate("{% if tools %}tools{% else %}none{% endif %}").render([user], { tools: [] })).toBe("none");
  });

  it("gives content in the form the template understands", () => {
    const parts: ChatMessage = { role: "user", content: [{ type: "text", text: "one " }, { type: "text", text: "two" }] };
    const stringsOnly = new ChatTemplate("{% for m in messages %}{{ m.role + ': ' + m.content }}{% endfor %}");
    expect(stringsOnly.render([parts])).toBe("user: one two");
    expect(stringsOnly.render([user])).toBe("user: Hi");
    const partsOnly = new ChatTemplate("{% for m in messages %}{% for p in m.content %}{% if p.type == 'text' %}{{ p.text }}{% else %}[{{ p.type }}]{% endif %}{% endfor %}{% endfor %}");
    expect(partsOnly.render([user, parts])).toBe("Hione two");
    expect(partsOnly.render([{ role: "user", content: [{ type: "image", image: "a.png" }, { type: "text", text: "?" }] }])).toBe("[image]?");
    // Prints what it is given: no list must reach it.
    expect(new ChatTemplate("{% for m in messages %}{{ m.content }}{% endfor %}").render([parts])).toBe("one two");
  });

  it("refuses pictures in a text-only template, naming the message", () => {
    const template = new ChatTemplate("{% for m in messages %}{{ m.role + m.content }}{% endfor %}");
    expect(() => template.render([user, { role: "user", content: [{ type: "image", image: "a.png" }] }])).toThrow(expect.objectContaining({ code: "unsupported_input", param: "messages[1].content" }));
  });
});

describe("ChatTemplate", () => {
  const user: ChatMessage = { role: "user", content: "Hi" };

  async function folder(files: Record<string, string>): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), "deskhand-template-"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
    return dir;
  }

  it("is read from chat_template.jinja, then chat_template.json, then tokenizer_config.json", async () => {
    const files = { "tokenizer_config.json": '{"chat_template": "config {{ eos_token }}"}', "chat_template.json": '{"chat_template": "json"}', "chat_template.jinja": "jinja" };
    const from = async (...names: (keyof typeof files)[]): Promise<string | undefined> => (await ChatTemplate.load(await folder(Object.fromEntries(names.map((name) => [name, files[name]]))), { eos_token: "</s>" }))?.render([user]);
    expect(await from("tokenizer_config.json", "chat_template.json", "chat_template.jinja")).toBe("jinja");
    expect(await from("tokenizer_config.json", "chat_template.json")).toBe("json");
    expect(await from("tokenizer_config.json")).toBe("config </s>");
    expect(await from()).toBeUndefined();
    expect(await ChatTemplate.load(await folder({ "tokenizer_config.json": '{"eos_token": "x"}' }), {})).toBeUndefined();
    expect(missingChatTemplate("base-model").message).toMatch(/base-model.*--raw/);
  });

  it("takes the template for tools from a list of named ones when there are tools", async () => {
    const list = [{ name: "default", template: "plain" }, { name: "tool_use", template: "with <tool_call>" }];
    const template = (await ChatTemplate.load(await folder({ "tokenizer_config.json": JSON.stringify({ chat_template: list }) }), {}))!;
    expect(template.render([user])).toBe("plain");
    expect(template.render([user], { tools: [{ name: "f" }] })).toBe("with <tool_call>");
    expect(template.source).toContain("<tool_call>");
  });

  it("blames the request when the template refuses it, and the template when it fails", () => {
    expect(() => new ChatTemplate("{{ raise_exception('no chats here') }}").render([user])).toThrow(expect.objectContaining({ code: "invalid_argument", message: expect.stringContaining("no chats here") as string }));
    expect(() => new ChatTemplate("{{ nothing.of.the.kind() }}").render([user])).toThrow(expect.objectContaining({ code: "invalid_model", message: expect.stringContaining("--raw") as string }));
    expect(() => new ChatTemplate("{% if %}")).toThrow(expect.objectContaining({ code: "invalid_model", message: expect.stringContaining("parsing failed") as string }));
    expect(() => new ChatTemplate([])).toThrow(expect.objectContaining({ code: "invalid_model" }));
  });

  it("knows today's date", () => {
    expect(new ChatTemplate("{{ strftime_now('%Y') }}").render([user])).toBe(String(new Date().getFullYear()));
  });
});
