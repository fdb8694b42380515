import type { ResponseInputItem, Tool } from "openai/resources/responses/responses";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { Action } from "../actions.js";
import type { CoordinateChain, Size } from "../coordinates.js";
import { describeAction, describeActions } from "../describe.js";
import type { ModelReply } from "../model-client.js";
import type { Conversation, Dialect, ParsedAction, ParsedStep, SafetyCheck, Turn } from "./dialect.js";
import { FINISH, finishAction, wordsAsAction } from "./finish.js";
import { firstPictureKept } from "./history.js";
import { LABEL_QUESTION } from "./label-question.js";
import { Locator } from "./locator.js";
import { ComputerAction, toAction } from "./openai-actions.js";
import type { Prompt } from "./prompt.js";
import { NAME_TARGETS, RULES } from "./rules.js";
import { readToolCalls } from "./tool-calls.js";

const INSTRUCTIONS = ["You operate a computer for its user, through the computer tool.", NAME_TARGETS, ...RULES, `When the task is done, or cannot be done, call ${FINISH.name}.`].join("\n");
const TURNS_BETWEEN_COMPACTIONS = 8;

const Call = z.object({
  actions: z.array(ComputerAction).min(1),
  pending_safety_checks: z.array(z.object({ id: z.string(), code: z.string().nullish(), message: z.string().nullish() })).default([]),
});

/** OpenAI's `computer` tool: several actions at once, in pixels of the screenshot. */
export const openAi: Dialect = {
  name: "openai",
  matches: (modelId) => /(^|\/)gpt-5/i.test(modelId),
  space: { kind: "pixels" },
  pictureSize: { multiple: 1, minPixels: 1, maxPixels: 1920 * 1080 },
  display: { width: 1280, height: 800 },
  sampling: { max_tokens: 8192 },
  acceptsNotices: true,
  ownFunctions: ["computer", FINISH.name],
  zoomedSpace: "screen",
  label: {
    shows: "place",
    // It thinks first.
    sampling: { max_tokens: 1024 },
    render: (picture) => ({ api: "responses", instructions: "You read screens.", input: [user(LABEL_QUESTION, picture)], tools: [] }),
  },
  render: (conversation) => render(conversation, { type: "computer" }),
  parse,
};

/** The older `computer_use_preview`: one action at a time, on a display whose size it is told. */
export const openAiPreview: Dialect = {
  ...openAi,
  name: "openai-preview",
  matches: (modelId) => /computer-use-preview/i.test(modelId),
  pictureSize: { multiple: 1, minPixels: 1, maxPixels: 1024 * 768 },
  display: { width: 1024, height: 768 },
  // It answers nothing without its tool.
  label: undefined,
  render: (conversation) => render(conversation, { type: "computer_use_preview", ...declared(conversation.screen), environment: environment() }),
};

function declared({ width, height }: Size): { display_width: number; display_height: number } {
  return { display_width: width, display_height: height };
}

function environment(): "mac" | "windows" | "linux" {
  if (process.platform === "darwin") return "mac";
  return process.platform === "win32" ? "windows" : "linux";
}

function parse(reply: ModelReply, chain: CoordinateChain): ParsedStep {
  if (reply.toolCalls.length === 0 && reply.text.trim() !== "" && reply.finishReason !== "length") {
    const action = Action.parse(wordsAsAction(reply.text));
    return { summary: describeAction(action), actions: [{ action, points: [] }] };
  }
  const safetyChecks: SafetyCheck[] = [];
  const actions = readToolCalls(reply).flatMap((call): ParsedAction[] => {
    if (call.name === FINISH.name) return [{ action: Action.parse(finishAction(call.arguments)), points: [] }];
    if (call.name !== "computer") throw new DeskhandError("model_output", `Expected a call of computer or ${FINISH.name} but received one of ${JSON.stringify(call.name)}.`);
    const { actions, pending_safety_checks } = parseWith(Call, call.arguments, `The call computer(${JSON.stringify(call.arguments)})`, "model_output");
    safetyChecks.push(...pending_safety_checks);
    return actions.map((action) => {
      const locator = new Locator(chain);
      return { action: Action.parse(toAction(action, locator)), points: locator.points };
    });
  });
  return { summary: reply.text.trim() || describeActions(actions), actions, ...(safetyChecks.length > 0 && { safetyChecks }) };
}

/**
 * A screenshot is the output of the call before it. Outputs need one, so turns whose pictures go are told in words at the beginning.
 */
function render({ task, turns, picture, notice, correction, functions = [] }: Conversation, tool: Tool): Prompt {
  const first = firstPictureKept(turns.length, TURNS_BETWEEN_COMPACTIONS);
  const told = turns.slice(0, first).map(({ summary }, index) => `\n${index + 1}. ${summary}`);
  const shown = [...turns.slice(first), { picture, notice }];
  const opening = `Task: ${task}${told.length === 0 ? "" : `\nDone so far:${told.join("")}`}`;
  const input: ResponseInputItem[] = [user(opening, shown[0]!.picture), ...noticeItems(shown[0]!)];
  turns.slice(first).forEach((turn, index) => input.push(...replay(turn, shown[index + 1]!)));
  if (correction) {
    input.push(...outputs(correction.reply, picture, []), user(`Nothing was done, because your last reply could not be used. ${correction.reason}`));
  }
  const finish: Tool = { type: "function", name: FINISH.name, description: FINISH.description, parameters: FINISH.schema, strict: true };
  return { api: "responses", instructions: INSTRUCTIONS, input, tools: [tool, finish, ...functions.map((offer): Tool => ({ type: "function", ...offer, strict: false }))] };
}

type Shown = Pick<Turn, "picture" | "notice">;

/** A reply, what became of it, and the screenshot after it. */
function replay(turn: Turn, next: Shown): ResponseInputItem[] {
  // It was acted upon, so a person has agreed to its checks: the loop asks before anything else.
  const agreed = turn.refused ? [] : checksOf(turn.reply);
  const screenshot = turn.reply.toolCalls.some(({ name }) => name === "computer") ? [] : [user("The screen now:", next.picture)];
  return [...outputs(turn.reply, next.picture, agreed), ...screenshot, ...noticeItems(next)];
}

function outputs(reply: ModelReply, picture: string, agreed: SafetyCheck[]): ResponseInputItem[] {
  const answers = reply.toolCalls.map(({ id, name, arguments: given }): ResponseInputItem => {
    if (name !== "computer") return { type: "function_call_output", call_id: id, output: "Done." };
    const own = new Set(checksIn(given).map((check) => check.id));
    return { type: "computer_call_output", call_id: id, output: { type: "computer_screenshot", image_url: picture }, acknowledged_safety_checks: agreed.filter((check) => own.has(check.id)) };
  });
  return [...((reply.items ?? []) as ResponseInputItem[]), ...answers];
}

function checksOf(reply: ModelReply): SafetyCheck[] {
  return reply.toolCalls.flatMap((call) => checksIn(call.arguments));
}

function checksIn(given: string): SafetyCheck[] {
  try {
    return Call.shape.pending_safety_checks.parse((JSON.parse(given) as { pending_safety_checks?: unknown }).pending_safety_checks);
  } catch {
    return [];
  }
}

function noticeItems({ notice }: Shown): ResponseInputItem[] {
  return notice ? [user(notice.text, notice.detail)] : [];
}

function user(text: string, picture?: string): ResponseInputItem {
  return { role: "user", content: [{ type: "input_text", text }, ...(picture === undefined ? [] : [{ type: "input_image" as const, image_url: picture, detail: "high" as const }])] };
}
