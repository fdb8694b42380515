import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import { pathExists } from "../hub/path-exists.js";
import { JinjaTemplate, RaisedByTemplate } from "../jinja/template.js";
import type { ChatMessage, ToolDefinition } from "../messages.js";
import type { ToolCallFormat } from "../tools/format.js";
import { gemma } from "../tools/gemma.js";
import { promptTools } from "../tools/prompted-tools.js";
import type { SpecialTokenShield } from "./special-token-shield.js";
import { mergeNeighbours, systemToUser } from "./fold-messages.js";
import { templateMessages, templateTools, type ContentForms, type TemplateMessage, type TemplatePart } from "./template-messages.js";

export interface RenderOptions {
  tools?: readonly ToolDefinition[];
  /** End with the opening of the assistant's turn. Default true. */
  addGenerationPrompt?: boolean;
  /** Extra variables of this model's template, e.g. `{ enable_thinking: false }`. */
  variables?: Readonly<Record<string, unknown>>;
  /** Marks special tokens that messages and tools spell: the text is then for `Tokenizer.encode` with the shield's mark. */
  shield?: SpecialTokenShield;
  /** How calls are written where the template itself does not know tools. Default: `tool_code`, which needs no tokens of its own. */
  toolFormat?: ToolCallFormat;
  /** `Processor.pictureMark`: where the template takes text only, pictures get these marks in their places. */
  pictureMark?: (number: number) => string;
}

const templateField = z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish();
const templateFile = z.looseObject({ chat_template: templateField });
type TemplateField = z.output<typeof templateField>;

/** The name transformers gives to a template meant for requests with tools, in files that hold several. */
const TOOL_TEMPLATE = "tool_use";

/** A model's own chat template, rendered as transformers' `apply_chat_template` renders it. */
export class ChatTemplate {
  /** The template's text: its marks tell which tool-call format the model was trained on. */
  readonly source: string;
  /** Whether it has a place for tool definitions; without, they go into the messages. */
  readonly knowsTools: boolean;
  private readonly template: JinjaTemplate;
  private readonly toolTemplate: JinjaTemplate;
  private readonly forms: ContentForms;

  /** @param namedTokens `bos_token`, `eos_token`, … as the tokenizer names them. @throws DeskhandError `invalid_model` when the template cannot be parsed. */
  constructor(
    field: NonNullable<TemplateField>,
    private readonly namedTokens: Readonly<Record<string, string>> = {},
    private readonly origin = "the chat template",
  ) {
    const named = typeof field === "string" ? [{ name: "default", template: field }] : field;
    const main = named.find(({ name }) => name === "default") ?? named[0];
    if (!main) throw new DeskhandError("invalid_model", `Expected at least one template in ${origin} but received an empty list.`);
    const forTools = named.find(({ name }) => name === TOOL_TEMPLATE) ?? main;
    this.source = forTools.template;
    this.knowsTools = forTools !== main || /\btools\b/.test(this.source);
    this.template = this.compile(main.template);
    this.toolTemplate = forTools === main ? this.template : this.compile(forTools.template);
    this.forms = this.probe();
  }

  /**
   * The template of a model folder: chat_template.jinja, else chat_template.json, else `chat_template` in tokenizer_config.json.
   * `undefined` when the model has none: it can only continue raw text.
   */
  static async load(dir: string, namedTokens: Readonly<Record<string, string>>): Promise<ChatTemplate | undefined> {
    const jinja = join(dir, "chat_template.jinja");
    if (await pathExists(jinja)) return new ChatTemplate(await readFile(jinja, "utf8"), namedTokens, jinja);
    for (const name of ["chat_template.json", "tokenizer_config.json"]) {
      const path = join(dir, name);
      if (!(await pathExists(path))) continue;
      const { chat_template } = parseWith(templateFile, await readJson(path), path, "invalid_model");
      if (chat_template) return new ChatTemplate(chat_template, namedTokens, `chat_template in ${path}`);
    }
    return undefined;
  }

  /**
   * The prompt of a chat. A picture appears as whatever the template writes for one (`<|vision_start|><|image_pad|><|vision_end|>`).
   *
   * @throws DeskhandError `invalid_argument` when the template refuses these messages, `unsupported_input` for pictures in a text-only
   * template, `invalid_model` when the template itself fails.
   */
  render(messages: readonly ChatMessage[], { tools = [], addGenerationPrompt = true, variables = {}, shield, toolFormat = gemma, pictureMark }: RenderOptions = {}): string {
    if (!this.knowsTools && (tools.length > 0 || messages.some(speaksOfTools))) {
      return this.render(promptTools(messages, tools, toolFormat), { addGenerationPrompt, variables, shield, pictureMark });
    }
    const template = tools.length > 0 ? this.toolTemplate : this.template;
    const protectedVariables = shield?.protectAll(variables) as Record<string, unknown> | undefined;
    const context = { ...(protectedVariables ?? variables), ...this.namedTokens, tools: tools.length > 0 ? templateTools(tools, shield) : null, add_generation_prompt: addGenerationPrompt };
    try {
      return this.runFolded(template, messages, context, { shield, pictureMark });
    } catch (cause) {
      if (cause instanceof DeskhandError) throw cause;
      if (cause instanceof RaisedByTemplate) throw new DeskhandError("invalid_argument", `The model's chat template refuses these messages: ${cause.message}`, { cause, param: "messages" });
      throw new DeskhandError("invalid_model", `Expected ${this.origin} to render the messages but it failed: ${messageOf(cause)}. Check the template, or send the prompt without it (--raw).`, { cause });
    }
  }

  /** Whether it has a place for videos. */
  get knowsVideos(): boolean {
    const rendered = (...content: TemplatePart[]): string => this.run(this.template, [{ role: "user", content }], { add_generation_prompt: true });
    const text = { type: "text" as const, text: "x" };
    try {
      return rendered({ type: "video" }, text) !== rendered(text);
    } catch {
      return false;
    }
  }

  /** What a template refuses as it is it may take with neighbours merged, or without a system role. */
  private runFolded(template: JinjaTemplate, messages: readonly ChatMessage[], context: Record<string, unknown>, options: Pick<RenderOptions, "shield" | "pictureMark">): string {
    const attempt = (folded: readonly ChatMessage[]): string => this.run(template, templateMessages(folded, this.forms, options), context);
    try {
      return attempt(messages);
    } catch (refusal) {
      if (!(refusal instanceof RaisedByTemplate)) throw refusal;
      for (const fold of [mergeNeighbours, systemToUser]) {
        try {
          return attempt(fold(messages));
        } catch (error) {
          if (!(error instanceof RaisedByTemplate)) throw error;
        }
      }
      throw refusal;
    }
  }

  /** transformers sets `tools` and `documents` always: some templates ask whether they are defined. */
  private run(template: JinjaTemplate, messages: readonly TemplateMessage[], context: Record<string, unknown>): string {
    return template.render({ ...this.namedTokens, tools: null, documents: null, ...context, messages });
  }

  private compile(source: string): JinjaTemplate {
    try {
      return new JinjaTemplate(source);
    } catch (cause) {
      throw new DeskhandError("invalid_model", `Expected a Jinja template in ${this.origin} but parsing failed: ${messageOf(cause)}. Download the model's files again, or send the prompt without it (--raw).`, { cause });
    }
  }

  /**
   * Some templates take a message's content as a string, some as a list of parts, most of the newer ones both; one of Gemma 3's a user's as
   * both and the system's as parts alone. Nothing declares it, so try: a form is understood when the text comes out.
   */
  private probe(): ContentForms {
    const word = "probe-7f3a";
    const understands = (...messages: TemplateMessage[]): boolean => {
      try {
        const rendered = this.run(this.template, messages, { add_generation_prompt: true });
        // A template that prints the list itself would show the part's keys around the word.
        return rendered.includes(word) && !rendered.includes(`"${word}"`) && !rendered.includes(`'${word}'`);
      } catch {
        return false;
      }
    };
    const parts: TemplateMessage["content"] = [{ type: "text", text: word }];
    const other: TemplateMessage = { role: "user", content: [{ type: "text", text: "x" }] };
    const takesParts = understands({ role: "user", content: parts });
    const systemAsPartsOnly = understands({ role: "system", content: parts }, other) && !understands({ role: "system", content: word }, other);
    return { parts: takesParts, string: !takesParts || (understands({ role: "user", content: word }) && !systemAsPartsOnly) };
  }
}

/** Holds what a template that knows no tools would leave out, unless it is in the text. */
function speaksOfTools(message: ChatMessage): boolean {
  return message.role === "tool" || (message.role === "assistant" && (message.toolCalls ?? []).length > 0);
}

/** The error for asking a chat of a model without a template. */
export function missingChatTemplate(modelId: string): DeskhandError {
  return new DeskhandError(
    "unsupported_input",
    `The model ${modelId} has no chat template (chat_template.jinja, chat_template.json, or chat_template in tokenizer_config.json): it continues text but holds no conversation. Send the prompt as it is with --raw, or use an instruct model.`,
  );
}
