import { computerCall, finishCall } from "./events.js";
import { callText, message, response, tinyReply, toolReply } from "./replies.js";
import type { ScriptedReply } from "./scripted-server.js";

/** A short run in the words of one model family: something clicked, typed, looked at closely where it can, misspelt once, and ended. */
export interface FamilyRun {
  dialect: string;
  model: string;
  replies: ScriptedReply[];
}

const DONE = toolReply({ action: "terminate", status: "success" });
const QWEN = [
  toolReply({ action: "left_click", coordinate: [100, 120] }, "Action: click the field"),
  toolReply({ action: "type", text: "Ada\n " }),
  toolReply({ action: "zoom", region: [10, 10, 210, 210] }),
  toolReply({ action: "wibble" }, "Action: I do not know"),
  { text: `Action: drag it\n${callText({ action: "left_click_drag", coordinate: [300, 200] })}` },
  DONE,
];
const QWEN_XML = { text: "<tool_call>\n<function=computer_use>\n<parameter=action>\nleft_click\n</parameter>\n<parameter=coordinate>\n[500, 250]\n</parameter>\n</function>\n</tool_call>" };
const UI_TARS = (point: (x: number, y: number) => string): ScriptedReply[] => [
  { text: `Thought: The field first.\nAction: click(start_box='${point(100, 120)}')` },
  { text: "Thought: Its text.\nAction: type(content='It\\'s Ada\\n')" },
  { text: "Thought: Hm.\nAction: fly(start_box='(1,2)')" },
  { text: `Thought: Down.\nAction: scroll(start_box='${point(200, 200)}', direction='down')\n\nhotkey(key='ctrl s')` },
  { text: "Action: finished(content='')" },
];
const GEMMA = [
  "I click.\n```tool_code\nclick(x=100, y=120)\n```",
  "```tool_code\nprint(type_text(text='Ada \\'L\\''))\n```",
  "```tool_code\nzoom(left=0, top=0, right=500, bottom=500)\n```",
  "```tool_code\nfly()\n```",
  "```tool_code\nclick(500, 500, button='right')\npress_keys(['ctrl+s'])\n```",
  "```tool_code\nfinish(success=True)\n```",
].map((text) => ({ text }));
const SHOWUI = [
  "{'action': 'CLICK', 'value': None, 'position': [0.25, 0.5]}",
  "{'action': 'FLY'}",
  "{'action': 'INPUT', 'value': 'Ada', 'position': [0.5, 0.5]}",
  '[{"action": "SCROLL", "value": "down", "position": null}, {"action": "ENTER", "value": null, "position": null}]',
  "{'action': 'FINISH', 'value': None, 'position': None}",
].map((text) => ({ text }));
const OPENAI = [
  response({ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "c2VjcmV0" }, computerCall([{ type: "click", x: 100, y: 120, button: "left" }, { type: "type", text: "Ada" }])),
  response(computerCall([{ type: "drag", path: [{ x: 10, y: 10 }, { x: 20, y: 30 }, { x: 200, y: 200 }] }])),
  response(computerCall([{ type: "click", x: 5000, y: 1, button: "left" }])),
  response(computerCall([{ type: "scroll", x: 50, y: 60, scroll_x: 0, scroll_y: 300 }, { type: "keypress", keys: ["CTRL", "S"] }])),
  response(finishCall),
];
const ANTHROPIC = (zooms: boolean): ScriptedReply[] => [
  message({ text: "I click." }, { call: "computer", input: { action: "left_click", coordinate: [100, 120] } }),
  message({ call: "computer", input: { action: "cursor_position" } }),
  ...(zooms ? [message({ call: "computer", input: { action: "zoom", region: [320, 240, 480, 360] } })] : []),
  message({ call: "computer", input: { action: "fly" } }),
  message({ text: "Then I type." }, { call: "computer", input: { action: "type", text: "Ada " } }),
  message({ call: "finish", input: { success: true, message: "Done." } }),
];

/** One for every dialect that `--dialect` takes. */
export const FAMILY_RUNS: readonly FamilyRun[] = [
  { dialect: "qwen2.5", model: "Qwen2.5-VL-7B", replies: QWEN },
  { dialect: "qwen3", model: "Qwen3-VL-4B", replies: QWEN },
  { dialect: "qwen3.5", model: "Qwen3.5-9B", replies: [QWEN_XML, ...QWEN] },
  { dialect: "ui-tars", model: "UI-TARS-7B", replies: UI_TARS((x, y) => `<|box_start|>(${x},${y})<|box_end|>`) },
  { dialect: "ui-tars-1.5", model: "UI-TARS-1.5-7B", replies: UI_TARS((x, y) => `(${x},${y})`) },
  { dialect: "gemma3", model: "gemma-3-12b", replies: GEMMA },
  { dialect: "showui", model: "ShowUI-2B", replies: SHOWUI },
  { dialect: "openai", model: "gpt-5.4", replies: OPENAI },
  { dialect: "openai-preview", model: "computer-use-preview", replies: OPENAI },
  { dialect: "anthropic-20241022", model: "claude-3-5-sonnet", replies: ANTHROPIC(false) },
  { dialect: "anthropic-20250124", model: "claude-sonnet-4-5", replies: ANTHROPIC(false) },
  { dialect: "anthropic-20251124", model: "claude-opus-4-5", replies: ANTHROPIC(true) },
  { dialect: "tiny", model: "tiny", replies: [tinyReply("click the field", { action: "left_click", coordinate: [100, 120] }), tinyReply("type Ada", { action: "type", text: "Ada" }), tinyReply("it is on already", { action: "wait", time: 1 }, "on"), tinyReply("done", { action: "terminate", status: "success" })] },
];
