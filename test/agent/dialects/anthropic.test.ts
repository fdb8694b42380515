import type Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import type { Action } from "../../../src/agent/actions.js";
import { anthropic2024, anthropic2025, anthropicZoom } from "../../../src/agent/dialects/anthropic.js";
import type { Conversation, Dialect } from "../../../src/agent/dialects/dialect.js";
import type { ModelReply } from "../../../src/agent/model-client.js";
import { actionsOf, conversationOf, refusalOf } from "../support/dialect.js";
import { reply } from "../support/replies.js";

const click = { type: "click", button: "left", count: 1 } as const;
const at = { x: 10, y: 20 };
const xy = { coordinate: [10, 20] };

function calls(...inputs: object[]): ModelReply {
  return reply({ toolCalls: inputs.map((input, index) => ({ id: `toolu_${index}`, name: "computer", arguments: JSON.stringify(input) })), finishReason: "tool_use" });
}

const FIRST: [object, Action[]][] = [
  [{ action: "key", text: "ctrl+s" }, [{ type: "key", keys: ["ctrl+s"] }]],
  [{ action: "key", text: "Down Down Return" }, [{ type: "key", keys: ["Down"] }, { type: "key", keys: ["Down"] }, { type: "key", keys: ["Return"] }]],
  [{ action: "key", text: " " }, [{ type: "key", keys: ["space"] }]],
  [{ action: "type", text: "  Ada \n" }, [{ type: "type", text: "  Ada \n" }]],
  [{ action: "mouse_move", ...xy }, [{ type: "move", to: at }]],
  [{ action: "left_click" }, [{ ...click, at: undefined }]],
  [{ action: "left_click", coordinate: [0, 0] }, [{ ...click, at: { x: 0, y: 0 } }]],
  [{ action: "left_click", ...xy, text: "ctrl+shift" }, [{ ...click, at, held: ["ctrl+shift"] }]],
  [{ action: "left_click", ...xy, key: "shift" }, [{ ...click, at, held: ["shift"] }]],
  [{ action: "left_click_drag", ...xy }, [{ type: "drag", from: undefined, to: at, button: "left" }]],
  [{ action: "left_click_drag", start_coordinate: [0, 0], ...xy }, [{ type: "drag", from: { x: 0, y: 0 }, to: at, button: "left" }]],
  [{ action: "right_click", ...xy }, [{ ...click, at, button: "right" }]],
  [{ action: "middle_click", ...xy }, [{ ...click, at, button: "middle" }]],
  [{ action: "double_click", ...xy }, [{ ...click, at, count: 2 }]],
  [{ action: "screenshot" }, [{ type: "screenshot" }]],
  [{ action: "cursor_position" }, [{ type: "screenshot" }]],
];
const SECOND: [object, Action[]][] = [
  [{ action: "left_mouse_down" }, [{ type: "mouse_down", at: undefined, button: "left" }]],
  [{ action: "left_mouse_up", ...xy }, [{ type: "mouse_up", at, button: "left" }]],
  [{ action: "scroll", ...xy, scroll_direction: "down", scroll_amount: 3 }, [{ type: "scroll", at, up: -3, left: 0 }]],
  [{ action: "scroll", scroll_direction: "up", scroll_amount: 1, text: "ctrl" }, [{ type: "scroll", at: undefined, up: 1, left: 0, held: ["ctrl"] }]],
  [{ action: "scroll", ...xy, scroll_direction: "left", scroll_amount: 2 }, [{ type: "scroll", at, up: 0, left: 2 }]],
  [{ action: "scroll", ...xy, scroll_direction: "right", scroll_amount: 2 }, [{ type: "scroll", at, up: 0, left: -2 }]],
  [{ action: "hold_key", text: "w", duration: 1.5 }, [{ type: "hold_key", keys: ["w"], ms: 1500 }]],
  [{ action: "wait", duration: 2 }, [{ type: "wait", ms: 2000 }]],
  [{ action: "triple_click", ...xy }, [{ ...click, at, count: 3 }]],
];
const THIRD: [object, Action[]][] = [[{ action: "zoom", region: [10, 20, 110, 70] }, [{ type: "zoom", region: { ...at, width: 100, height: 50 } }]]];

describe("Anthropic: actions", () => {
  it.each(FIRST)("every version: %o", (input, actions) => {
    for (const dialect of [anthropic2024, anthropic2025, anthropicZoom]) expect(actionsOf(dialect, calls(input))).toEqual(actions);
  });

  it.each(SECOND)("from the second on: %o", (input, actions) => {
    for (const dialect of [anthropic2025, anthropicZoom]) expect(actionsOf(dialect, calls(input))).toEqual(actions);
    expect(refusalOf(anthropic2024, calls(input))).toMatch(/action/);
  });

  it.each(THIRD)("the third: %o", (input, actions) => {
    expect(actionsOf(anthropicZoom, calls(input))).toEqual(actions);
    expect(refusalOf(anthropic2025, calls(input))).toMatch(/action/);
  });

  it("several calls in order", () => {
    expect(actionsOf(anthropicZoom, calls({ action: "left_click", ...xy }, { action: "type", text: "Ada" })).map(({ type }) => type)).toEqual(["click", "type"]);
  });

  it("the end of a task, in a call or in words", () => {
    const finish = (args: object): ModelReply => reply({ toolCalls: [{ id: "1", name: "finish", arguments: JSON.stringify(args) }] });
    expect(actionsOf(anthropicZoom, finish({ success: false, message: "No such file." }))).toEqual([{ type: "terminate", success: false, message: "No such file." }]);
    expect(actionsOf(anthropicZoom, "It is 5 pm.")).toEqual([{ type: "answer", text: "It is 5 pm." }]);
    expect(actionsOf(anthropicZoom, "Shall I delete all of them?")).toEqual([{ type: "ask", question: "Shall I delete all of them?" }]);
  });

  it.each([
    [calls({ action: "fly" }), /action/],
    [calls({ action: "left_click", coordinate: [1000, 5] }), /x from 0 to 999/],
    [calls({ action: "left_click", coordinate: ["10", "20"] }), /coordinate/],
    [calls({ action: "left_click", ...xy, force: true }), /force/],
    [calls({ action: "mouse_move" }), /coordinate/],
    [calls({ action: "key", text: "" }), /text/],
    [calls({ action: "scroll", ...xy, scroll_direction: "down", scroll_amount: 0 }), /scroll_amount/],
    [calls({ action: "hold_key", text: "w", duration: 101 }), /duration/],
    [calls({ action: "zoom", region: [10, 10, 10, 50] }), /region/],
    [reply({ toolCalls: [{ id: "1", name: "bash", arguments: "{}" }] }), /"bash"/],
    [reply({ toolCalls: [{ id: "1", name: "computer", arguments: "{\"action\":" }] }), /JSON/],
    [reply({ text: "I will now", finishReason: "length" }), /cut off/],
    [reply({}), /empty/],
  ])("refuses %o", (given, why) => {
    expect(refusalOf(anthropicZoom, given)).toMatch(why);
  });
});

type Body = Anthropic.Beta.MessageCreateParamsNonStreaming;

/** The compiler is the oracle here: what is sent has to be what the official client's types allow. */
function bodyOf(dialect: Dialect, given: Conversation): Body {
  const prompt = dialect.render(given);
  if (prompt.api !== "messages") throw new Error(`a prompt for ${prompt.api}`);
  return { model: "claude", max_tokens: 1, system: prompt.system, messages: prompt.messages, tools: prompt.tools, betas: prompt.betas };
}

describe("Anthropic: prompts", () => {
  const clicking = (index: number): ModelReply => calls({ action: "left_click", coordinate: [index, 1] });

  it("declare the display and the version", () => {
    const conversation = conversationOf(0, clicking);
    expect(bodyOf(anthropic2024, conversation)).toMatchObject({ betas: ["computer-use-2024-10-22"], tools: [{ type: "computer_20241022", name: "computer", display_width_px: 1280, display_height_px: 800 }, { name: "finish" }] });
    expect(bodyOf(anthropic2025, conversation)).toMatchObject({ betas: ["computer-use-2025-01-24"], tools: [{ type: "computer_20250124" }, {}] });
    expect(bodyOf(anthropicZoom, conversation)).toMatchObject({ betas: ["computer-use-2025-11-24"], tools: [{ type: "computer_20251124", enable_zoom: true }, {}] });
  });

  it("want to be told what is pressed, since the safety kernel goes by words", () => {
    expect(bodyOf(anthropicZoom, conversationOf(0, clicking)).system).toMatch(/Before each call, say .* name what you press/);
  });

  it("answer every call once, in order, with the screenshot on the last", () => {
    const conversation = conversationOf(2, (index) => (index === 0 ? calls({ action: "left_click" }, { action: "cursor_position" }) : clicking(index)));
    conversation.turns[1]!.cursor = { x: 7, y: 8 };
    const { messages } = bodyOf(anthropicZoom, conversation);
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant", "user"]);
    expect(messages[1]!.content).toMatchObject([{ type: "tool_use", id: "toolu_0" }, { type: "tool_use", id: "toolu_1", input: { action: "cursor_position" } }]);
    expect(messages[2]!.content).toEqual([
      { type: "tool_result", tool_use_id: "toolu_0", content: [{ type: "text", text: "Done." }] },
      { type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "X=7,Y=8" }, { type: "image", source: { type: "base64", media_type: "image/png", data: "p1" } }] },
    ]);
  });

  it("say what was wrong as the result of the call", () => {
    const bad = reply({ toolCalls: [{ id: "toolu_9", name: "computer", arguments: "{\"action\":" }] });
    const { messages } = bodyOf(anthropicZoom, conversationOf(0, clicking, { correction: { reply: bad, reason: "Expected JSON." } }));
    expect(messages.slice(1)).toMatchObject([
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_9", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_9", is_error: true, content: [{ text: expect.stringContaining("Expected JSON.") as string }] }] },
    ]);
  });

  it("tell what the agent has to tell after the results, as the interface wants it", () => {
    const notice = { text: "The user answers: the blue one", detail: "data:image/png;base64,detail" };
    const { messages } = bodyOf(anthropicZoom, conversationOf(1, clicking, { notice }));
    expect(messages.at(-1)!.content).toMatchObject([{ type: "tool_result" }, { type: "text", text: notice.text }, { type: "image", source: { data: "detail" } }]);
  });
});
