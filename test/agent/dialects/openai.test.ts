import type { ComputerAction, ResponseCreateParamsNonStreaming, ResponseOutputItem } from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import type { Action } from "../../../src/agent/actions.js";
import type { Conversation, Dialect } from "../../../src/agent/dialects/dialect.js";
import { openAi, openAiPreview } from "../../../src/agent/dialects/openai.js";
import type { ModelReply } from "../../../src/agent/model-client.js";
import { actionsOf, conversationOf, picture, refusalOf } from "../support/dialect.js";
import { reply } from "../support/replies.js";

const click = { type: "click", button: "left", count: 1 } as const;
const at = { x: 10, y: 20 };
const CHECK = { id: "sc_1", code: "malicious_instructions", message: "The page asks for it." };

function call(actions: readonly object[], checks: object[] = [], id = "call_1"): ModelReply {
  const items = [{ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "…" }, { type: "computer_call", id: "cu_1", call_id: id, actions, pending_safety_checks: checks, status: "completed" }] as ResponseOutputItem[];
  return reply({ toolCalls: [{ id, name: "computer", arguments: JSON.stringify({ actions, pending_safety_checks: checks }) }], items });
}

/** In the official client's own types. */
const MEANINGS: [ComputerAction, Action][] = [
  [{ type: "click", ...at, button: "left" }, { ...click, at }],
  [{ type: "click", x: 0, y: 0, button: "left", keys: null }, { ...click, at: { x: 0, y: 0 } }],
  [{ type: "click", ...at, button: "right", keys: ["CTRL", "SHIFT"] }, { ...click, at, button: "right", held: ["CTRL", "SHIFT"] }],
  [{ type: "click", ...at, button: "wheel" }, { ...click, at, button: "middle" }],
  [{ type: "click", ...at, button: "back" }, { ...click, at, button: "back" }],
  [{ type: "click", ...at, button: "forward" }, { ...click, at, button: "forward" }],
  [{ type: "double_click", ...at, keys: null }, { ...click, at, count: 2 }],
  [{ type: "drag", path: [{ x: 0, y: 0 }, at] }, { type: "drag", from: { x: 0, y: 0 }, to: at, button: "left" }],
  [{ type: "drag", path: [{ x: 0, y: 0 }, { x: 5, y: 6 }, at], keys: ["ALT"] }, { type: "drag", from: { x: 0, y: 0 }, via: [{ x: 5, y: 6 }], to: at, button: "left", held: ["ALT"] }],
  [{ type: "keypress", keys: ["CTRL", "L"] }, { type: "key", keys: ["CTRL", "L"] }],
  [{ type: "move", ...at, keys: ["SHIFT"] }, { type: "move", to: at, held: ["SHIFT"] }],
  [{ type: "screenshot" }, { type: "screenshot" }],
  [{ type: "scroll", ...at, scroll_x: 0, scroll_y: 250 }, { type: "scroll", at, up: -2.5, left: 0 }],
  [{ type: "scroll", ...at, scroll_x: -100, scroll_y: -50, keys: ["CTRL"] }, { type: "scroll", at, up: 0.5, left: 1, held: ["CTRL"] }],
  [{ type: "type", text: "  Ada \n" }, { type: "type", text: "  Ada \n" }],
  [{ type: "wait" }, { type: "wait", ms: 2000 }],
];

describe("OpenAI: actions", () => {
  it.each(MEANINGS)("%o", (action, meaning) => {
    for (const dialect of [openAi, openAiPreview]) expect(actionsOf(dialect, call([action]))).toEqual([meaning]);
  });

  it("several of one call, in order", () => {
    expect(actionsOf(openAi, call(MEANINGS.map(([action]) => action)))).toEqual(MEANINGS.map(([, meaning]) => meaning));
  });

  it("the end of a task, in a call or in words", () => {
    const finish = reply({ toolCalls: [{ id: "1", name: "finish", arguments: "{\"success\": true, \"message\": \"\"}" }] });
    expect(actionsOf(openAi, finish)).toEqual([{ type: "terminate", success: true, message: undefined }]);
    expect(actionsOf(openAi, "It is 5 pm.")).toEqual([{ type: "answer", text: "It is 5 pm." }]);
    expect(actionsOf(openAi, "Should I proceed?")).toEqual([{ type: "ask", question: "Should I proceed?" }]);
  });

  it.each([
    [call([]), /actions/],
    [call([{ type: "fly" }]), /actions\[0\]|type/],
    [call([{ type: "click", x: 1000, y: 5, button: "left" }]), /x from 0 to 999/],
    [call([{ type: "click", x: 1, y: 5, button: "left" }, { type: "move", x: -1, y: 5 }]), /\[-1, 5\]/],
    [call([{ type: "drag", path: [at] }]), /path/],
    [call([{ type: "scroll", ...at, scroll_x: 0, scroll_y: 0 }]), /other than 0/],
    [call([{ type: "keypress", keys: [] }]), /keys/],
    [reply({ toolCalls: [{ id: "1", name: "rm", arguments: "{}" }] }), /"rm"/],
    [reply({ text: "I will", finishReason: "length" }), /cut off/],
    [reply({}), /empty/],
  ])("refuses %o", (given, why) => {
    expect(refusalOf(openAi, given)).toMatch(why);
  });

  it("hands the provider's safety checks over, for a person", () => {
    const chain = { space: openAi.space, sent: { width: 1000, height: 1000 }, captured: { width: 1000, height: 1000 }, display: { x: 0, y: 0, width: 1000, height: 1000, scale: 1 } };
    expect(openAi.parse(call([{ type: "screenshot" }], [CHECK]), chain).safetyChecks).toEqual([CHECK]);
    expect(openAi.parse(call([{ type: "screenshot" }]), chain).safetyChecks).toBeUndefined();
  });
});

/** The compiler is the oracle: what is sent has to be what the official client's types allow. */
function bodyOf(dialect: Dialect, given: Conversation): Pick<ResponseCreateParamsNonStreaming, "input" | "tools" | "instructions"> & { input: object[] } {
  const prompt = dialect.render(given);
  if (prompt.api !== "responses") throw new Error(`a prompt for ${prompt.api}`);
  return { input: prompt.input, tools: prompt.tools, instructions: prompt.instructions };
}

describe("OpenAI: prompts", () => {
  const clicking = (index: number): ModelReply => call([{ type: "click", x: index, y: 1, button: "left" }], [], `call_${index}`);

  it("declare the tool, the older one with its display", () => {
    expect(bodyOf(openAi, conversationOf(0, clicking)).tools).toMatchObject([{ type: "computer" }, { type: "function", name: "finish" }]);
    expect(bodyOf(openAiPreview, conversationOf(0, clicking)).tools).toMatchObject([{ type: "computer_use_preview", display_width: 1280, display_height: 800 }, {}]);
  });

  it("want to be told what is pressed, since the safety kernel goes by words", () => {
    expect(bodyOf(openAi, conversationOf(0, clicking)).instructions).toMatch(/Before each call, say .* name what you press/);
  });

  it("send the model's items back unchanged, each call with the screenshot that followed", () => {
    const { input } = bodyOf(openAi, conversationOf(2, clicking));
    expect(input.slice(1)).toEqual([0, 1].flatMap((index) => [...clicking(index).items!, { type: "computer_call_output", call_id: `call_${index}`, output: { type: "computer_screenshot", image_url: picture(index + 1) }, acknowledged_safety_checks: [] }]));
  });

  it("acknowledge a check only for what was done, which a person has agreed to", () => {
    const checked = (): ModelReply => call([{ type: "screenshot" }], [CHECK]);
    expect(bodyOf(openAi, conversationOf(1, checked)).input.at(-1)).toMatchObject({ acknowledged_safety_checks: [CHECK] });
    const refused = conversationOf(1, checked);
    refused.turns[0]!.refused = true;
    expect(bodyOf(openAi, refused).input.at(-1)).toMatchObject({ acknowledged_safety_checks: [] });
    expect(bodyOf(openAi, conversationOf(0, clicking, { correction: { reply: checked(), reason: "No." } })).input.at(-2)).toMatchObject({ acknowledged_safety_checks: [] });
  });

  it("tell old turns in words, and never hold a call without its output", () => {
    for (let count = 0; count < 30; count++) {
      const { input } = bodyOf(openAi, conversationOf(count, clicking));
      const text = JSON.stringify(input);
      expect((text.match(/base64,p\d+/g) ?? []).length).toBeLessThanOrEqual(9);
      expect(text).toContain(picture(count));
      const ids = (type: string) => input.filter((item) => "type" in item && item.type === type).map((item) => (item as { call_id: string }).call_id);
      expect(ids("computer_call")).toEqual(ids("computer_call_output"));
      for (let index = 0; index < count; index++) expect(text.includes(`${index + 1}. step ${index}`) || ids("computer_call").includes(`call_${index}`)).toBe(true);
    }
  });
});
