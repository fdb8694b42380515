import { describe, expect, it } from "vitest";
import type { Action } from "../../../src/agent/actions.js";
import { showUi } from "../../../src/agent/dialects/showui.js";
import { reply } from "../support/replies.js";

const click = { type: "click", button: "left", count: 1 } as const;
/** A display of 1000 × 500 at an offset. */
const chain = { space: showUi.space, sent: { width: 1008, height: 504 }, captured: { width: 2000, height: 1000 }, display: { x: -1000, y: 10, width: 1000, height: 500, scale: 2 } };
const actionsOf = (text: string): Action[] => showUi.parse(reply({ text }), chain).actions.map(({ action }) => action);

describe("ShowUI", () => {
  it.each<[string, Action[]]>([
    ["{'action': 'CLICK', 'value': None, 'position': [0.25, 0.5]}", [{ ...click, at: { x: -750, y: 260 } }]],
    ['{"action": "CLICK", "value": null, "position": [0.25, 0.5]}', [{ ...click, at: { x: -750, y: 260 } }]],
    ["{'action': 'click', 'position': (0, 0)}", [{ ...click, at: { x: -1000, y: 10 } }]],
    ["```json\n{'action': 'CLICK', 'position': [1, 1]}\n```", [{ ...click, at: { x: -1, y: 509 } }]],
    ["{'action': 'RIGHT CLICK', 'position': [0.5, 0.5]}", [{ ...click, at: { x: -500, y: 260 }, button: "right" }]],
    ["{'action': 'DOUBLE_CLICK', 'position': [0.5, 0.5]}", [{ ...click, at: { x: -500, y: 260 }, count: 2 }]],
    ["{'action': 'HOVER', 'position': [0.5, 0.5]}", [{ type: "move", to: { x: -500, y: 260 } }]],
    ["{'action': 'DRAG', 'position': [[0, 0], [0.5, 0.5]]}", [{ type: "drag", from: { x: -1000, y: 10 }, to: { x: -500, y: 260 }, button: "left" }]],
    ["{'action': 'INPUT', 'value': 'it\\'s  ', 'position': None}", [{ type: "type", text: "it's  " }]],
    ["{'action': 'INPUT', 'value': 'Ada', 'position': [0.5, 0.5]}", [{ ...click, at: { x: -500, y: 260 } }, { type: "type", text: "Ada" }]],
    ["{'action': 'ENTER', 'value': None, 'position': None}", [{ type: "key", keys: ["enter"] }]],
    ["{'action': 'HOTKEY', 'value': 'ctrl+s'}", [{ type: "key", keys: ["ctrl+s"] }]],
    ["{'action': 'SCROLL', 'value': 'down', 'position': [0.5, 0.5]}", [{ type: "scroll", at: { x: -500, y: 260 }, up: -5, left: 0 }]],
    ["{'action': 'ANSWER', 'value': '42', 'position': None}", [{ type: "answer", text: "42" }]],
    ["{'action': 'FINISH', 'value': None, 'position': None}", [{ type: "terminate", success: true }]],
    ["{'action': 'FINISH', 'value': 'It is saved.', 'position': None}", [{ type: "terminate", success: true, message: "It is saved." }]],
    ["[{'action': 'CLICK', 'position': [0, 0]}, {'action': 'ENTER'}]", [{ ...click, at: { x: -1000, y: 10 } }, { type: "key", keys: ["enter"] }]],
    ["{'action': 'CLICK', 'position': [0, 0]},\n{'action': 'ENTER'}", [{ ...click, at: { x: -1000, y: 10 } }, { type: "key", keys: ["enter"] }]],
  ])("%s", (text, actions) => {
    expect(actionsOf(text)).toEqual(actions);
  });

  it.each([
    ["", /empty reply/],
    ["click it", /dictionary.*click it/],
    ["[]", /empty list/],
    ["{'action': 'FLY'}", /action/],
    ["{'action': 'CLICK'}", /position/],
    ["{'action': 'CLICK', 'value': 'twice', 'position': [0.5, 0.5]}", /value/],
    ["{'action': 'CLICK', 'position': [1.5, 0.5]}", /from 0 to 1\)/],
    ["{'action': 'CLICK', 'position': [0.5, 0.5]} and more", /Expected/],
    ["{'action': 'INPUT', 'value': None}", /value/],
    ["{'action': 'ENTER', 'value': None, 'position': [0.5, 0.5]}", /position/],
    ["{'action': 'CLICK', 'position': [0.5, 0.5], 'button': 'right'}", /button/],
    ["{'action': 'CLICK', 'position': [0.5,", /Expected/],
  ])("refuses %j", (text, why) => {
    expect(() => actionsOf(text)).toThrow(why);
    expect(() => actionsOf(text)).toThrow(expect.objectContaining({ code: "model_output" }));
  });
});
