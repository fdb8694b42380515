import { describe, expect, it } from "vitest";
import type { Action } from "../../../src/agent/actions.js";
import { uiTars, uiTars15 } from "../../../src/agent/dialects/ui-tars.js";
import { actionsOf, conversationOf, picture, refusalOf } from "../support/dialect.js";
import { reply } from "../support/replies.js";

const click = { type: "click", button: "left", count: 1 } as const;
const at = { x: 235, y: 512 };

describe("UI-TARS: points, however they are spelt", () => {
  it.each([
    "start_box='(235,512)'",
    "start_box='(235, 512)'",
    "start_box='[235,512]'",
    "start_box='[235,512,235,512]'",
    "start_box='[230, 500, 240, 524]'",
    "start_box='<|box_start|>(235,512)<|box_end|>'",
    "start_box='<|box_start|>(230,500),(240,524)<|box_end|>'",
    "start_box='<bbox>235 512</bbox>'",
    "start_box='<bbox>230 500 240 524</bbox>'",
    "start_box='<point>235 512</point>'",
    "point='<point>235 512</point>'",
    "start_point='<point>235 512</point>'",
    'start_box="(235,512)"',
    "start_box=(235, 512)",
    "start_box=[230, 500, 240, 524]",
    "start_box='(235.0,512.0)'",
  ])("click(%s)", (args) => {
    expect(actionsOf(uiTars, `Thought: There.\nAction: click(${args})`)).toEqual([{ ...click, at }]);
    expect(actionsOf(uiTars15, `Action: click(${args})`)).toEqual([{ ...click, at }]);
  });

  it.each(["start_box=''", "", "start_box='[]'", "start_box='(235)'", "start_box='(1,2,3)'", "start_box='OK button'", "start_box='<point>235 x</point>'", "start_box=None"])("no click(%s)", (args) => {
    expect(refusalOf(uiTars, `Action: click(${args})`)).toMatch(/Expected a start_box/);
  });

  it("count from 0 to 1000 in 1.0, and in pixels of the picture in 1.5", () => {
    const screen = { sent: { width: 1932, height: 1092 }, captured: { width: 1920, height: 1080 }, display: { x: 0, y: 0, width: 1920, height: 1080, scale: 1 } };
    const text = reply({ text: "Action: click(start_box='(966,546)')" });
    expect(uiTars15.parse(text, { ...screen, space: uiTars15.space }).actions[0]!.action).toEqual({ ...click, at: { x: 960, y: 540 } });
    expect(uiTars.parse(text, { ...screen, space: uiTars.space }).actions[0]!.action).toEqual({ ...click, at: { x: 1855, y: 590 } });
    expect(() => uiTars.parse(reply({ text: "Action: click(start_box='(1001,5)')" }), { ...screen, space: uiTars.space })).toThrow(/0 to 1000/);
  });
});

describe("UI-TARS: actions", () => {
  it.each<[string, Action[]]>([
    ["click(start_box='(0,0)')", [{ ...click, at: { x: 0, y: 0 } }]],
    ["left_double(point='<point>235 512</point>')", [{ ...click, at, count: 2 }]],
    ["right_single(start_box='(235,512)')", [{ ...click, at, button: "right" }]],
    ["hover(start_box='(235,512)')", [{ type: "move", to: at }]],
    ["drag(start_box='(0,0)', end_box='(235,512)')", [{ type: "drag", from: { x: 0, y: 0 }, to: at, button: "left" }]],
    ["drag(start_point='<point>0 0</point>', end_point='<point>235 512</point>')", [{ type: "drag", from: { x: 0, y: 0 }, to: at, button: "left" }]],
    ["select(start_box='(1,2)', end_box='(235,512)')", [{ type: "drag", from: { x: 1, y: 2 }, to: at, button: "left" }]],
    ["hotkey(key='ctrl c')", [{ type: "key", keys: ["ctrl", "c"] }]],
    ["hotkey(key='ctrl+shift+t')", [{ type: "key", keys: ["ctrl+shift+t"] }]],
    ["hotkey(hotkey='enter')", [{ type: "key", keys: ["enter"] }]],
    ["press(key='shift')", [{ type: "key_down", keys: ["shift"] }]],
    ["keydown(key='ctrl')", [{ type: "key_down", keys: ["ctrl"] }]],
    ["release(key='shift')", [{ type: "key_up", keys: ["shift"] }]],
    ["keyup(key='ctrl')", [{ type: "key_up", keys: ["ctrl"] }]],
    ["type(content='report.txt\\n')", [{ type: "type", text: "report.txt\n" }]],
    ["type(content='  two  ')", [{ type: "type", text: "  two  " }]],
    ["type(content='it\\'s \\\"so\\\"')", [{ type: "type", text: "it's \"so\"" }]],
    ["type(content='it's here')", [{ type: "type", text: "it's here" }]],
    ["type(content='a\nb')", [{ type: "type", text: "a\nb" }]],
    ["type(content='Action: wait()')", [{ type: "type", text: "Action: wait()" }]],
    ["type(content='')", [{ type: "type", text: "" }]],
    ["type(text='Hello', start_box='(235,512)')", [{ ...click, at }, { type: "type", text: "Hello" }]],
    ["scroll(start_box='(235,512)', direction='down')", [{ type: "scroll", at, up: -5, left: 0 }]],
    ["scroll(start_box='(235,512)', direction='up')", [{ type: "scroll", at, up: 5, left: 0 }]],
    ["scroll(point='<point>235 512</point>', direction='right')", [{ type: "scroll", at, up: 0, left: -5 }]],
    ["scroll(direction='left')", [{ type: "scroll", at: undefined, up: 0, left: 5 }]],
    ["wait()", [{ type: "wait", ms: 5000 }]],
    ["finished()", [{ type: "terminate", success: true, message: undefined }]],
    ["finished(content='It is 5 pm.')", [{ type: "terminate", success: true, message: "It is 5 pm." }]],
    ["call_user(content='Which file?')", [{ type: "ask", question: "Which file?" }]],
    ["call_user()", [{ type: "ask", question: "I see the form." }]],
  ])("%s", (call, actions) => {
    expect(actionsOf(uiTars, `Thought: I see the form.\nAction: ${call}`)).toEqual(actions);
  });

  it.each([
    ["Thought: one\nAction: click(start_box='(1,2)')\n\ntype(content='Ada\\n')\n\nhotkey(key='enter')"],
    ["Thought: one\nAction: click(start_box='(1,2)')\nAction: type(content='Ada\\n')\n\nAction: hotkey(key='enter')"],
  ])("several in one reply: %j", (text) => {
    expect(actionsOf(uiTars, text)).toEqual([{ ...click, at: { x: 1, y: 2 } }, { type: "type", text: "Ada\n" }, { type: "key", keys: ["enter"] }]);
  });

  it.each([
    ["Thought: Press the button.\nAction: wait()", "Press the button."],
    ["Reflection: That failed.\nAction_Summary: Press it again\nAction: wait()", "Press it again"],
    ["Action_Summary: Press it\nAction: wait()", "Press it"],
    ["<think>\nlong\n</think>\nThought: Then so.\nAction: wait()<|im_end|>", "Then so."],
    ["<Thought>Well</Thought>\nAction: wait()\n</Output>", "Well"],
    ["Thought: 点击按钮\nAction：wait()", "点击按钮"],
    ["Thought: click \"Settings\nAction: wait()", "click \"Settings"],
    ["wait()", "wait 5 s"],
  ])("after words of several kinds: %j", (text, summary) => {
    expect(uiTars.parse(reply({ text }), { ...conversationChain })).toMatchObject({ summary, actions: [{ action: { type: "wait", ms: 5000 } }] });
  });

  it.each([
    ["", /empty reply/],
    ["I should wait() until the page is stable.", /Expected "Action: "/],
    ["Thought: Hm.", /Expected "Action: "/],
    ["Action: fly(start_box='(1,2)')", /fly/],
    ["Action: press_home()", /press_home/],
    ["Action: click(start_box='(1,2)') then wait()", /nothing after the action.*then wait/],
    ["Action: click(start_box='(1,2)', force='yes')", /force/],
    ["Action: click('(1,2)')", /by name/],
    ["Action: click(start_box='(1,2)'", /"," or "\)"/],
    ["Action: drag(start_box='(1,2)')", /end_box/],
    ["Action: scroll(start_box='(1,2)', direction='sideways')", /direction.*sideways/],
    ["Action: scroll(start_box='(1,2)')", /direction/],
    ["Action: hotkey(key='')", /key/],
    ["Action: type()", /content/],
    ["Action: type(content='a", /closing '/],
  ])("refused: %j", (text, why) => {
    expect(refusalOf(uiTars, text)).toMatch(why);
  });
});

const conversationChain = { space: uiTars.space, sent: { width: 1000, height: 1000 }, captured: { width: 1000, height: 1000 }, display: { x: 0, y: 0, width: 1000, height: 1000, scale: 1 } };

describe("UI-TARS: prompts", () => {
  it("hold the instruction once and at most five screenshots, and all words", () => {
    for (let count = 0; count < 20; count++) {
      const prompt = uiTars.render(conversationOf(count, (index) => reply({ text: `Thought: ${index}.\nAction: wait()` })));
      const text = JSON.stringify(prompt);
      const shown = text.match(/base64,p\d+/g) ?? [];
      expect(shown.length).toBeLessThanOrEqual(5);
      expect(`data:image/png;${shown.at(-1)}`).toBe(picture(count));
      expect(text.match(/## Action Space/g)).toHaveLength(1);
      for (let index = 0; index < count; index++) expect(text).toContain(`Thought: ${index}.\\nAction: wait()`);
    }
  });

  it("teach each version its own spelling", () => {
    expect(JSON.stringify(uiTars.render(conversationOf(0, () => reply({}))))).toContain("<|box_start|>(x1,y1)<|box_end|>");
    expect(JSON.stringify(uiTars15.render(conversationOf(0, () => reply({}))))).toContain("click(start_box='(x1,y1)')");
  });
});
