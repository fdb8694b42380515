import { describeActions } from "../describe.js";
import type { ModelReply } from "../model-client.js";
import type { CoordinateChain } from "../coordinates.js";
import { chatFunctions, renderChat } from "./chat-history.js";
import { computerUseTool, toParsedAction } from "./computer-use.js";
import type { Dialect, ParsedStep } from "./dialect.js";
import { chatLabel } from "./label-question.js";
import { RULES } from "./rules.js";
import { readToolCalls, textBesideCalls } from "./tool-calls.js";

const SYSTEM_PROMPT = [
  "You operate a computer for its user, through the computer_use function. You see the screen in a new screenshot after every action.",
  "Before each call, write one short line that begins with \"Action:\" and says what you are about to do.",
  ...RULES,
  "When the task is done, call terminate with status success; when it cannot be done, call terminate with status failure.",
  "When the task is a question, call answer.",
].join("\n");

const FAMILY = {
  display: { width: 1280, height: 800 },
  sampling: { temperature: 0, repetition_penalty: 1, max_tokens: 2048 },
  acceptsNotices: true,
  ownFunctions: ["computer_use"],
  zoomedSpace: "picture",
  label: chatLabel,
  parse,
} as const;

/** Qwen2.5-VL: coordinates in pixels of the picture as the model gets it. */
export const qwen25: Dialect = {
  ...FAMILY,
  name: "qwen2.5",
  matches: (modelId) => /qwen-?2[-_.]?5[-_.]?vl/i.test(modelId),
  space: { kind: "pixels" },
  // Patch 14, merged 2 × 2. Sent in a size that the processor leaves as it is, so that its pixels are the model's.
  pictureSize: { multiple: 28, minPixels: 4 * 28 * 28, maxPixels: 1932 * 1092 },
  render: (conversation) => renderWith(conversation, conversation.screen),
};

/** Qwen3-VL: coordinates from 0 to 1000. */
export const qwen3: Dialect = {
  ...FAMILY,
  name: "qwen3",
  matches: (modelId) => /qwen-?3[-_.]?vl/i.test(modelId) || modelId === "qwen",
  space: { kind: "relative", max: 1000 },
  // Patch 16, merged 2 × 2: sides that are multiples of 32 reach the model unscaled. The limit keeps a full-HD screen as it is.
  pictureSize: { multiple: 32, minPixels: 1, maxPixels: 1920 * 1088 },
  render: (conversation) => renderWith(conversation, { width: 1000, height: 1000 }),
};

/** Qwen3.5 and its successors: the same, with calls written as XML, and time to think before one. */
export const qwen35: Dialect = {
  ...qwen3,
  name: "qwen3.5",
  matches: (modelId) => /qwen-?3[._][5-9]/i.test(modelId),
  sampling: { ...FAMILY.sampling, max_tokens: 8192 },
  label: { ...chatLabel, sampling: { ...chatLabel.sampling, chat_template_kwargs: { enable_thinking: false } } },
};

function renderWith(conversation: Parameters<Dialect["render"]>[0], counted: { width: number; height: number }): ReturnType<Dialect["render"]> {
  const messages = renderChat(conversation, {
    system: SYSTEM_PROMPT,
    opening: `Task: ${conversation.task}`,
    next: "The screen now:",
    turnsBetweenCompactions: 8,
    tryAgain: "Look at the screenshot again and reply with a computer_use call.",
  });
  return { api: "chat", messages, tools: [computerUseTool(counted), ...chatFunctions(conversation)] };
}

function parse(reply: ModelReply, chain: CoordinateChain): ParsedStep {
  const actions = readToolCalls(reply).map((call) => toParsedAction(call, chain));
  const said = textBesideCalls(reply).replace(/^Action:\s*/i, "");
  return { summary: said || describeActions(actions), actions };
}
