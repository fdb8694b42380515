import { describe, expect, it } from "vitest";
import type { Action } from "../../../src/agent/actions.js";
import { gemma } from "../../../src/agent/dialects/gemma.js";
import { actionsOf, conversationOf, refusalOf } from "../support/dialect.js";
import { reply } from "../support/replies.js";

const click = { type: "click", button: "left", count: 1 } as const;
const code = (text: string): string => `I press OK.\n\`\`\`tool_code\n${text}\n\`\`\``;

describe("Gemma", () => {
  it.each<[string, Action[]]>([
    ["click(10, 20)", [{ ...click, at: { x: 10, y: 20 } }]],
    ["click(x=0, y=0)", [{ ...click, at: { x: 0, y: 0 } }]],
    ["click(10, y=20, button='right')", [{ ...click, at: { x: 10, y: 20 }, button: "right" }]],
    ['click(x=10, y=20, clicks=2, hold_keys=["ctrl", "shift"])', [{ ...click, at: { x: 10, y: 20 }, count: 2, held: ["ctrl", "shift"] }]],
    ["print(click(10, 20))", [{ ...click, at: { x: 10, y: 20 } }]],
    ["computer.click(10, 20)", [{ ...click, at: { x: 10, y: 20 } }]],
    ["move_mouse(10, 20)", [{ type: "move", to: { x: 10, y: 20 } }]],
    ["drag(0, 0, 30, 40)", [{ type: "drag", from: { x: 0, y: 0 }, to: { x: 30, y: 40 }, button: "left" }]],
    ["scroll('down', 3, 10, 20)", [{ type: "scroll", at: { x: 10, y: 20 }, up: -3, left: 0 }]],
    ["scroll(direction='left', clicks=1)", [{ type: "scroll", at: undefined, up: 0, left: 1 }]],
    ['type_text("it\'s  \\n")', [{ type: "type", text: "it's  \n" }]],
    ["press_keys(['ctrl', 's'])", [{ type: "key", keys: ["ctrl", "s"] }]],
    ["wait(1.5)", [{ type: "wait", ms: 1500 }]],
    ["zoom(100, 200, 300, 400)", [{ type: "zoom", region: { x: 100, y: 200, width: 200, height: 200 } }]],
    ["ask_user('Which one?')", [{ type: "ask", question: "Which one?" }]],
    ["answer('42')", [{ type: "answer", text: "42" }]],
    ["finish(True)", [{ type: "terminate", success: true, message: undefined }]],
    ["finish(success=False, message='No such menu')", [{ type: "terminate", success: false, message: "No such menu" }]],
    ["click(1, 2)  # the field\ntype_text('Ada')", [{ ...click, at: { x: 1, y: 2 } }, { type: "type", text: "Ada" }]],
  ])("%s", (text, actions) => {
    expect(actionsOf(gemma, code(text))).toEqual(actions);
    expect(gemma.parse(reply({ text: code(text) }), { space: gemma.space, sent: { width: 1000, height: 1000 }, captured: { width: 1000, height: 1000 }, display: { x: 0, y: 0, width: 1000, height: 1000, scale: 1 } }).summary).toBe("I press OK.");
  });

  it("does not need the closing fence, which servers take for a stop string", () => {
    expect(actionsOf(gemma, "```tool_code\nclick(1, 2)")).toEqual([{ ...click, at: { x: 1, y: 2 } }]);
  });

  it.each([
    ["click(1, 2)", /tool_code/],
    ["", /empty/],
    [code(""), /tool_code/],
    [code("fly(1)"), /click, move_mouse.*fly/],
    [code("toString()"), /toString/],
    [code("click(1)"), /y/],
    [code("click(1, 2, x=3)"), /one x/],
    [code("click(1001, 2)"), /0 to 1000/],
    [code("click('1', 2)"), /x/],
    [code("click(1, 2, speed=3)"), /speed/],
    [code("wait(1, 2)"), /at most 1/],
    [code("scroll('down', 3, 10)"), /both x and y/],
    [code("click(1, 2) type_text("), /Expected/],
    [code("for i in range(3): click(1, 2)"), /Expected a call/],
  ])("refuses %j", (text, why) => {
    expect(refusalOf(gemma, text)).toMatch(why);
  });

  it("is told its functions once, and what came of a call as tool_output", () => {
    const prompt = JSON.stringify(gemma.render(conversationOf(2, () => reply({ text: code("click(1, 2)") }))));
    expect(prompt.match(/def click/g)).toHaveLength(1);
    expect(prompt.match(/tool_output/g)).toHaveLength(2);
    expect(prompt).not.toContain('"system"');
  });
});
