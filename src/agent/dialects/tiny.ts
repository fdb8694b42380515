import type { ChatCompletionContentPart } from "openai/resources/chat/completions";
import type { Dialect, ParsedAction } from "./dialect.js";
import type { LabelQuestion } from "./label-question.js";
import type { ModelReply } from "../model-client.js";
import { toParsedAction } from "./computer-use.js";
import { readToolCalls } from "./tool-calls.js";

/** What the model was taught to read as "this did nothing". */
const NO_CHANGE = " (no change)";

/** In the words that it was trained on. What the cache has of the picture is used again, since that comes first in all of its prompts. */
const LABEL: LabelQuestion = {
  shows: "screen",
  sampling: { temperature: 0, repetition_penalty: 1, max_tokens: 32 },
  render: (picture, { x, y }) => ({ api: "chat", messages: [{ role: "user", content: [shown(picture), { type: "text", text: `What text is at [${Math.round(x)}, ${Math.round(y)}]?` }] }], tools: [] }),
};

/**
 * The embedded screen model. It knows one prompt: a picture, the task, and all its previous actions numbered in the words of its own
 * `Action:` lines. The next action follows from the last line, so a line left out or reworded makes it skip or repeat.
 */
export const tiny: Dialect = {
  name: "tiny",
  matches: (modelId) => /(^|[/\\])(deskhand-)?tiny$/i.test(modelId),
  space: { kind: "relative", max: 1000 },
  pictureSize: { multiple: 32, minPixels: 640 * 480, maxPixels: 1280 * 800 },
  display: { width: 640, height: 480 },
  sampling: { temperature: 0, repetition_penalty: 1, max_tokens: 256 },
  zoomedSpace: "picture",
  acceptsNotices: false,
  label: LABEL,
  render({ task, turns, picture }) {
    const previous = turns.length === 0 ? " none" : turns.map(({ summary, hadEffect, reply }, index) => `\n${index + 1}. ${summary}${hadEffect || isNothingToDo(reply) ? "" : NO_CHANGE}`).join("");
    const content: ChatCompletionContentPart[] = [
      shown(picture),
      { type: "text", text: `Task: ${task}\nPrevious actions:${previous}` },
    ];
    return { api: "chat", messages: [{ role: "user", content }], tools: [] };
  },
  parse(reply, chain) {
    const actions = readToolCalls(reply).map((call) => withoutWaiting(toParsedAction(call, chain)));
    const words = /Action: (.*)/.exec(reply.text)?.[1];
    return { summary: words ?? actions[0]!.action.type, actions };
  },
};

function shown(picture: string): ChatCompletionContentPart {
  return { type: "image_url", image_url: { url: picture } };
}

/** Where nothing was to be done, that nothing changed is no failure; told of one, the model would look at its box again and in the end give up. */
function isNothingToDo(reply: ModelReply): boolean {
  return readToolCalls(reply).every(({ arguments: given }) => given !== null && typeof given === "object" && "action" in given && given.action === "wait");
}

/** `wait` is the model's way of saying that a box is right already (`Now: on`): nothing to wait for. */
function withoutWaiting(parsed: ParsedAction): ParsedAction {
  return parsed.action.type === "wait" ? { ...parsed, action: { type: "wait", ms: 0 } } : parsed;
}
