import { DeskhandError } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { Action } from "../actions.js";
import type { CoordinateChain, Size } from "../coordinates.js";
import { describeAction, describeActions } from "../describe.js";
import type { ModelReply } from "../model-client.js";
import { toActions, VERSIONS } from "./anthropic-actions.js";
import type { Conversation, Dialect, ParsedAction, ParsedStep, Turn } from "./dialect.js";
import { FINISH, finishAction, wordsAsAction } from "./finish.js";
import { firstPictureKept } from "./history.js";
import { LABEL_QUESTION, MAX_LABEL_TOKENS } from "./label-question.js";
import { Locator } from "./locator.js";
import type { MessageBlock, MessageImage, MessageParam, MessageTool, Prompt } from "./prompt.js";
import { NAME_TARGETS, RULES } from "./rules.js";
import { readToolCalls } from "./tool-calls.js";

type Version = keyof typeof VERSIONS;

const SYSTEM = ["You operate a computer for its user, through the computer tool. Every action is answered with a new screenshot.", NAME_TARGETS, ...RULES, `When the task is done, or cannot be done, call ${FINISH.name}.`].join("\n");
const TURNS_BETWEEN_COMPACTIONS = 8;

const BETAS: Readonly<Record<Version, string>> = {
  computer_20241022: "computer-use-2024-10-22",
  computer_20250124: "computer-use-2025-01-24",
  computer_20251124: "computer-use-2025-11-24",
};

/** Claude 3.5 Sonnet's. */
export const anthropic2024 = anthropic("computer_20241022", (modelId) => /claude-3-5/i.test(modelId));
/** Of Claude 3.7 up to Sonnet 4.5 and Haiku 4.5. */
export const anthropic2025 = anthropic("computer_20250124", (modelId) => /claude-(3-7|(sonnet|opus)-4(-[01])?(-\d{8})?$|(sonnet|haiku)-4-5)/i.test(modelId));
/** Newer than that. */
export const anthropicZoom = anthropic("computer_20251124", (modelId) => /claude-/i.test(modelId) && !anthropic2024.matches(modelId) && !anthropic2025.matches(modelId));

/** Anthropic's computer tool in one of its versions: pixels of the display that it declares, also after a zoom. */
function anthropic(version: Version, matches: (modelId: string) => boolean): Dialect {
  return {
    name: `anthropic-${version.slice("computer_".length)}`,
    matches,
    space: { kind: "pixels" },
    // Larger pictures are made smaller on the way to the model, and its pixels would no longer be ours.
    pictureSize: { multiple: 1, minPixels: 1, maxPixels: 1280 * 800, maxSide: 1568 },
    display: { width: 1280, height: 800 },
    sampling: { max_tokens: 4096 },
    keyVariable: "ANTHROPIC_API_KEY",
    acceptsNotices: true,
    ownFunctions: ["computer", FINISH.name],
    zoomedSpace: "screen",
    label: {
      shows: "place",
      sampling: { max_tokens: MAX_LABEL_TOKENS },
      render: (picture) => ({ api: "messages", system: "You read screens.", messages: [{ role: "user", content: [image(picture), text(LABEL_QUESTION)] }], tools: [], betas: [] }),
    },
    render: (conversation) => render(conversation, version),
    parse: (reply, chain) => parse(reply, chain, version),
  };
}

function parse(reply: ModelReply, chain: CoordinateChain, version: Version): ParsedStep {
  if (reply.toolCalls.length === 0 && reply.text.trim() !== "" && reply.finishReason !== "length") {
    const action = Action.parse(wordsAsAction(reply.text));
    return { summary: describeAction(action), actions: [{ action, points: [] }] };
  }
  const actions = readToolCalls(reply).flatMap((call): ParsedAction[] => {
    if (call.name === FINISH.name) return [{ action: Action.parse(finishAction(call.arguments)), points: [] }];
    if (call.name !== "computer") throw new DeskhandError("model_output", `Expected a call of computer or ${FINISH.name} but received one of ${JSON.stringify(call.name)}.`);
    const input = parseWith(VERSIONS[version], call.arguments, `The call computer(${JSON.stringify(call.arguments)})`, "model_output");
    const locator = new Locator(chain);
    return toActions(input, locator).map((action, index) => ({ action: Action.parse(action), points: index === 0 ? locator.points : [] }));
  });
  return { summary: reply.text.trim() || describeActions(actions), actions };
}

type Shown = Pick<Turn, "picture" | "notice" | "cursor">;

function render({ task, turns, picture, notice, cursor, correction, screen, functions = [] }: Conversation, version: Version): Prompt {
  const firstPicture = firstPictureKept(turns.length, TURNS_BETWEEN_COMPACTIONS);
  const shown: Shown[] = [...turns, { picture, notice, cursor }];
  const messages: MessageParam[] = [{ role: "user", content: [text(`Task: ${task}`), screenshot(shown[0]!, firstPicture === 0), ...noticeBlocks(shown[0]!, firstPicture === 0)] }];
  turns.forEach((turn, index) => {
    const next = shown[index + 1]!;
    messages.push(said(turn.reply), { role: "user", content: answered(turn, next, index + 1 >= firstPicture) });
  });
  if (correction) {
    const reason = `Nothing was done, because your last reply could not be used. ${correction.reason}`;
    const errors = correction.reply.toolCalls.map(({ id }): MessageBlock => ({ type: "tool_result", tool_use_id: id, is_error: true, content: [text(reason)] }));
    messages.push(said(correction.reply), { role: "user", content: errors.length > 0 ? errors : [text(reason)] });
  }
  return { api: "messages", system: SYSTEM, messages, tools: [computerTool(version, screen), FINISH_TOOL, ...functions.map(({ name, description, parameters }): MessageTool => ({ name, description, input_schema: parameters }))], betas: [BETAS[version]] };
}

const FINISH_TOOL: MessageTool = { name: FINISH.name, description: FINISH.description, input_schema: FINISH.schema };

function computerTool(type: Version, { width, height }: Size): MessageTool {
  const size = { name: "computer" as const, display_width_px: width, display_height_px: height };
  return type === "computer_20251124" ? { type, ...size, enable_zoom: true } : { type, ...size };
}

function said({ text: words, toolCalls }: ModelReply): MessageParam {
  const calls = toolCalls.map(({ id, name, arguments: given }): MessageBlock => ({ type: "tool_use", id, name, input: inputOf(given) }));
  const content = words.trim() === "" ? calls : [text(words.trimEnd()), ...calls];
  return { role: "assistant", content: content.length > 0 ? content : [text("(nothing)")] };
}

/** Every call has its result, the last one the screenshot. */
function answered({ reply, refused }: Turn, next: Shown, kept: boolean): MessageBlock[] {
  const last = reply.toolCalls.length - 1;
  const results = reply.toolCalls.map(({ id, arguments: given }, index): MessageBlock => {
    const asked = (inputOf(given) as { action?: unknown }).action === "cursor_position" && next.cursor;
    const words = refused ? "Refused." : asked ? `X=${asked.x},Y=${asked.y}` : "Done.";
    return { type: "tool_result", tool_use_id: id, content: [text(words), ...(index === last ? [screenshot(next, kept)] : [])] };
  });
  return [...(results.length > 0 ? results : [text("The screen now:"), screenshot(next, kept)]), ...noticeBlocks(next, kept)];
}

/** Calls whose arguments are no JSON object cannot be said again as calls. */
function inputOf(given: string): object {
  try {
    const input: unknown = JSON.parse(given);
    return typeof input === "object" && input !== null && !Array.isArray(input) ? input : {};
  } catch {
    return {};
  }
}

function text(words: string): { type: "text"; text: string } {
  return { type: "text", text: words };
}

function screenshot({ picture }: Shown, kept: boolean): MessageImage | { type: "text"; text: string } {
  return kept ? image(picture) : text("(earlier screenshot, no longer shown)");
}

function image(dataUri: string): MessageImage {
  return { type: "image", source: { type: "base64", media_type: "image/png", data: dataUri.slice(dataUri.indexOf(",") + 1) } };
}

function noticeBlocks({ notice }: Shown, kept: boolean): MessageBlock[] {
  if (!notice) return [];
  return notice.detail !== undefined && kept ? [text(notice.text), image(notice.detail)] : [text(notice.text)];
}
