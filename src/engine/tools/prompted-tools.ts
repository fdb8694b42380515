import type { ChatMessage, ContentPart, ToolDefinition } from "../messages.js";
import type { ToolCallFormat } from "./format.js";
import { pythonLiteral } from "./python-calls.js";
import { parametersOf } from "./schema-values.js";

const TYPES: Readonly<Record<string, string>> = { string: "str", integer: "int", number: "float", boolean: "bool", array: "list", object: "dict", null: "None" };

/** Messages for a template that knows no tools: definitions as a system message, calls and results as text. */
export function promptTools(messages: readonly ChatMessage[], tools: readonly ToolDefinition[], format: ToolCallFormat): ChatMessage[] {
  const definitions: ChatMessage[] = tools.length === 0 ? [] : [{ role: "system", content: instructions(tools, format) }];
  const isSystem = messages[0]?.role === "system";
  const shown = messages.map((message): ChatMessage => {
    if (message.role === "tool") return { role: "user", content: around("```tool_output\n", message.content, "\n```") };
    if (message.role !== "assistant" || !message.toolCalls?.length) return message;
    const calls = format.render(message.toolCalls);
    return { role: "assistant", content: message.content.length === 0 ? calls : around("", message.content, `\n${calls}`) };
  });
  return isSystem ? [shown[0]!, ...definitions, ...shown.slice(1)] : [...definitions, ...shown];
}

function instructions(tools: readonly ToolDefinition[], format: ToolCallFormat): string {
  const example = format.render([{ name: "function_name", arguments: '{"parameter":"value"}' }]);
  return `You can call these Python functions:\n\n\`\`\`python\n${tools.map(pythonSignature).join("\n\n")}\n\`\`\`\n\nTo call one, write:\n${example}\nThe result comes back in a block marked tool_output. Call a function only when it helps; otherwise answer in plain text.`;
}

/** `def f(a: int, b: str = None) -> dict:` with a docstring. */
export function pythonSignature(tool: ToolDefinition): string {
  const parameters = [...(parametersOf([tool], tool.name) ?? [])];
  const required = tool.parameters?.["required"];
  const isRequired = (name: string): boolean => Array.isArray(required) && required.includes(name);
  const signature = parameters.map(([name, schema]) => `${name}: ${pythonType(schema)}${isRequired(name) ? "" : ` = ${pythonLiteral(schema["default"])}`}`);
  const described = parameters.flatMap(([name, { description }]) => (typeof description === "string" ? [`        ${name}: ${description}`] : []));
  const lines = [...(tool.description ? [tool.description] : []), ...(described.length > 0 ? [`${tool.description ? "\n" : ""}    Args:`, ...described] : [])];
  const body = lines.length === 0 ? "    ..." : `    """${lines.join("\n").trimStart()}\n    """`;
  return `def ${tool.name}(${signature.join(", ")}) -> dict:\n${body}`;
}

function pythonType(schema: Record<string, unknown>): string {
  if (Array.isArray(schema["enum"])) return `Literal[${schema["enum"].map(pythonLiteral).join(", ")}]`;
  const types: unknown[] = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]];
  return types.map((type) => (typeof type === "string" ? (TYPES[type] ?? "Any") : "Any")).join(" | ");
}

function around(before: string, content: ChatMessage["content"], after: string): ChatMessage["content"] {
  if (typeof content === "string") return before + content + after;
  const text = (part: string): ContentPart[] => (part === "" ? [] : [{ type: "text", text: part }]);
  return [...text(before), ...content, ...text(after)];
}
