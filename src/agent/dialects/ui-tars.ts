import type { CoordinateChain, ModelSpace } from "../coordinates.js";
import { describeActions } from "../describe.js";
import type { ModelReply } from "../model-client.js";
import { renderChat } from "./chat-history.js";
import type { Conversation, Dialect, ParsedStep } from "./dialect.js";
import { chatLabel } from "./label-question.js";
import type { Prompt } from "./prompt.js";
import { RULES } from "./rules.js";
import { toActions } from "./ui-tars-actions.js";
import { readUiTars } from "./ui-tars-text.js";

/** What both versions are trained to say; only the spelling of a point differs. */
function instruction(task: string, point: (name: string, n: number) => string): string {
  return [
    "You operate a computer for its user. You see the screen in a screenshot before each of your actions.",
    ...RULES,
    "",
    "## Output Format",
    "Thought: what you see, what is left to do, and in one sentence the next action with its target",
    "Action: one of the following",
    "",
    "## Action Space",
    `click(${point("start", 1)})`,
    `left_double(${point("start", 1)})`,
    `right_single(${point("start", 1)})`,
    `drag(${point("start", 1)}, ${point("end", 2)})`,
    "hotkey(key='ctrl c') # lower case, keys separated by spaces",
    "type(content='xxx') # as a Python string, with \\', \\\" and \\n; a \\n at the end submits the input",
    `scroll(${point("start", 1)}, direction='down or up or right or left')`,
    "wait() # 5 seconds",
    "finished(content='xxx') # the task is done; the answer when it was a question",
    "call_user() # only when you cannot go on without the user",
    "",
    "## User Instruction",
    task,
  ].join("\n");
}

/** UI-TARS 1.0, and the hosted ones: coordinates from 0 to 1000. */
export const uiTars: Dialect = {
  name: "ui-tars",
  matches: (modelId) => /ui[-_]?tars/i.test(modelId) && !isVersion15(modelId),
  space: { kind: "relative", max: 1000 },
  pictureSize: { multiple: 28, minPixels: 100 * 28 * 28, maxPixels: 2700 * 28 * 28 },
  display: { width: 1280, height: 800 },
  sampling: { temperature: 0, repetition_penalty: 1, max_tokens: 1024 },
  acceptsNotices: true,
  zoomedSpace: "picture",
  label: chatLabel,
  render: (conversation) => render(conversation, (name, n) => `${name}_box='<|box_start|>(x${n},y${n})<|box_end|>'`),
  parse,
};

const PIXELS: ModelSpace = { kind: "pixels" };

/** UI-TARS 1.5: pixels of the picture as its processor, Qwen2.5-VL's, sizes it. */
export const uiTars15: Dialect = {
  ...uiTars,
  name: "ui-tars-1.5",
  matches: isVersion15,
  space: PIXELS,
  render: (conversation) => render(conversation, (name, n) => `${name}_box='(x${n},y${n})'`),
};

/** `UI-TARS-1.5-7B`; but `doubao-1-5-ui-tars`, which is hosted, counts to 1000. */
function isVersion15(modelId: string): boolean {
  return /ui[-_]?tars[-_ ]?v?1[._-]5/i.test(modelId);
}

function render(conversation: Conversation, point: (name: string, n: number) => string): Prompt {
  const messages = renderChat(conversation, {
    opening: instruction(conversation.task, point),
    next: "",
    // They are trained with at most five screenshots.
    turnsBetweenCompactions: 4,
    tryAgain: "Look at the screenshot again and reply with a Thought and an Action.",
  });
  return { api: "chat", messages, tools: [] };
}

function parse(reply: ModelReply, chain: CoordinateChain): ParsedStep {
  const { thought, calls } = readUiTars(reply);
  const actions = calls.flatMap((call) => toActions(call, thought, chain));
  return { summary: thought || describeActions(actions), actions };
}
