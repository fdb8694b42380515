import type { Action, Point } from "../../src/agent/actions.js";
import { callText, message, response } from "../agent/support/replies.js";
import type { ScriptedReply } from "../agent/support/scripted-server.js";
import type { Move } from "./task.js";

/** How the model families write canonical actions: the other way round than src/agent/dialects reads them, and written apart from those. */

interface Family {
  /** The model's name, by which the dialect is chosen. */
  model: string;
  /** One action may take several replies. @throws for an action that the family does not have. */
  write(action: Action, words: string, screen: { width: number; height: number }): ScriptedReply[];
}

export type FamilyName = "qwen3" | "openai" | "anthropic" | "ui-tars";

const WHEEL_CLICK_PX = 100;

function qwen3(action: Action, words: string, { width, height }: { width: number; height: number }): ScriptedReply[] {
  const place = (point: Point) => [(point.x * 1000) / width, (point.y * 1000) / height];
  const say = (args: Record<string, unknown>): ScriptedReply => ({ text: `Action: ${words}\n${callText(args)}` });
  const held = "held" in action && action.held ? { text: action.held.join("+") } : {};
  const at = "at" in action && action.at ? { coordinate: place(action.at) } : {};
  switch (action.type) {
    case "click": {
      const name = action.button === "left" ? ["left_click", "double_click", "triple_click"][action.count - 1] : `${action.button}_click`;
      return [say({ action: name, ...at, ...held })];
    }
    case "move":
      return [say({ action: "mouse_move", coordinate: place(action.to), ...held })];
    // A drag starts at the cursor.
    case "drag":
      return [...(action.from ? [say({ action: "mouse_move", coordinate: place(action.from) })] : []), say({ action: "left_click_drag", coordinate: place(action.to), ...held })];
    case "scroll":
      return [say(action.left === 0 ? { action: "scroll", pixels: action.up * WHEEL_CLICK_PX, ...at, ...held } : { action: "hscroll", pixels: -action.left * WHEEL_CLICK_PX, ...at, ...held })];
    case "type":
      return [say({ action: "type", text: action.text })];
    case "key":
      return [say({ action: "key", keys: action.keys })];
    case "wait":
      return [say({ action: "wait", time: action.ms / 1000 })];
    case "zoom": {
      const { x, y, width: across, height: down } = action.region;
      return [say({ action: "zoom", region: [...place({ x, y }), ...place({ x: x + across, y: y + down })] })];
    }
    case "answer":
      return [say({ action: "answer", text: action.text })];
    case "terminate":
      return [say({ action: "terminate", status: action.success ? "success" : "failure" })];
    default:
      throw missing("qwen3", action);
  }
}

function openai(action: Action, words: string): ScriptedReply[] {
  const said = words === "" ? [] : [{ type: "message", role: "assistant", content: [{ type: "output_text", text: words }] }];
  const say = (...actions: object[]) => [response(...said, { type: "computer_call", id: "cu_1", call_id: "call_1", actions, pending_safety_checks: [], status: "completed" })];
  const keys = "held" in action && action.held ? { keys: action.held } : {};
  switch (action.type) {
    case "click":
      return say({ type: "click", ...action.at, button: action.button === "middle" ? "wheel" : action.button, ...keys });
    case "drag":
      return say({ type: "drag", path: [action.from, ...(action.via ?? []), action.to], ...keys });
    case "type":
      return say({ type: "type", text: action.text });
    case "terminate":
      return [response({ type: "function_call", id: "fc_1", call_id: "call_2", name: "finish", arguments: JSON.stringify({ success: action.success, message: "" }) })];
    default:
      throw missing("openai", action);
  }
}

function anthropic(action: Action, words: string): ScriptedReply[] {
  const say = (input: object) => [message({ text: words }, { call: "computer", input })];
  const place = ({ x, y }: Point) => [x, y];
  const at = "at" in action && action.at ? { coordinate: place(action.at) } : {};
  switch (action.type) {
    case "click":
      return say({ action: "left_click", ...at });
    case "move":
      return say({ action: "mouse_move", coordinate: place(action.to) });
    case "mouse_down":
      return say({ action: "left_mouse_down", ...at });
    case "mouse_up":
      return say({ action: "left_mouse_up", ...at });
    case "key":
      return say({ action: "key", text: action.keys.join("+") });
    case "hold_key":
      return say({ action: "hold_key", text: action.keys.join("+"), duration: action.ms / 1000 });
    case "screenshot":
      return say({ action: "screenshot" });
    case "answer":
      return [message({ text: action.text })];
    case "terminate":
      return [message({ call: "finish", input: { success: action.success, message: "" } })];
    default:
      throw missing("anthropic", action);
  }
}

function uiTars(action: Action, words: string, { width, height }: { width: number; height: number }): ScriptedReply[] {
  const say = (call: string): ScriptedReply[] => [{ text: `Thought: ${words}\nAction: ${call}` }];
  const box = ({ x, y }: Point) => `'(${(x * 1000) / width},${(y * 1000) / height})'`;
  switch (action.type) {
    case "click":
      return say(`click(start_box=${box(action.at!)})`);
    case "type":
      return say(`type(content=${JSON.stringify(action.text)})`);
    case "key_down":
      return say(`press(key='${action.keys.join(" ")}')`);
    case "key_up":
      return say(`release(key='${action.keys.join(" ")}')`);
    case "ask":
      return say(`call_user(content=${JSON.stringify(action.question)})`);
    case "terminate":
      return say("finished(content='')");
    default:
      throw missing("ui-tars", action);
  }
}

function missing(family: string, action: Action): Error {
  return new Error(`Expected an action that ${family} has but received ${action.type}.`);
}

export const FAMILIES: Readonly<Record<FamilyName, Family>> = {
  qwen3: { model: "qwen3-vl", write: qwen3 },
  openai: { model: "gpt-5", write: openai },
  anthropic: { model: "claude-opus-4-5", write: anthropic },
  "ui-tars": { model: "ui-tars-7b", write: uiTars },
};

/** The end that the oracle of every family comes to. */
export const DONE: Move = { words: "The task is done", action: { type: "terminate", success: true } };
