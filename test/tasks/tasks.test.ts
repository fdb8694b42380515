import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Action } from "../../src/agent/actions.js";
import { toolReply } from "../agent/support/replies.js";
import { ScriptedServer } from "../agent/support/scripted-server.js";
import { FAMILIES } from "./families.js";
import { Hands } from "./hands.js";
import { oracleModel } from "./oracle.js";
import { Stage } from "./stage.js";
import { APPLICATIONS, type ApplicationName } from "./scene.js";
import { ELSEWHERE, TASKS } from "./suite/index.js";

/** Real applications on a real display, through the whole agent: only the model is scripted. The applications say what arrived. */

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage[Symbol.asyncDispose]());

/** What the oracle did, and the application confirmed. */
const performed = new Map<ApplicationName, Action[]>(APPLICATIONS.map((application) => [application, []]));

describe.each(APPLICATIONS)("on %s", (application) => {
  it.each([...TASKS, ...ELSEWHERE].filter((task) => task.application === application).map((task) => [task.id, task] as const))("%s: the oracle does it, doing nothing does not", async (_id, task) => {
    await using scene = await stage.scene(application);
    await task.prepare?.(scene);
    await using idle = await ScriptedServer.start([toolReply({ action: "terminate", status: "success" })]);
    const nothing = await stage.play(task, scene, { baseURL: idle.url, model: FAMILIES.qwen3.model }, 0);
    expect(nothing).toMatchObject({ ending: { success: true, steps: 1 }, done: false });

    const screen = await stage.opened.computer.display();
    await using server = await ScriptedServer.start(oracleModel(task, new Hands(scene), screen));
    const { model } = FAMILIES[task.family ?? "qwen3"];
    const { done, after, ending, asked, steps } = await stage.play(task, scene, { baseURL: server.url, model, apiKey: "unused" });
    expect(done, JSON.stringify({ ending, after })).toBe(true);
    // No false alarm: a person was asked about what the task itself is about, and nothing else.
    expect(asked.flatMap(({ risks }) => risks.map(({ kind }) => kind))).toEqual(task.asks ?? []);
    for (const { actions } of steps) performed.get(application)!.push(...actions.map(({ action }) => action));
  });
});

const CLICKS = ["click", "double click", "triple click"];

/** What an application has to understand of an action, or nothing where the action is none of its business. */
function inputIn(action: Action): string[] {
  const held = "held" in action && action.held ? [`${action.type} with keys`] : [];
  switch (action.type) {
    case "click":
      return [action.button === "left" ? CLICKS[action.count - 1]! : `${action.button} click`, ...held];
    case "drag":
      return [action.via ? "drag on a way" : "drag", ...held];
    case "scroll":
      return [...Object.entries({ up: action.up > 0, down: action.up < 0, left: action.left > 0, right: action.left < 0 }).flatMap(([way, is]) => (is ? [`scroll ${way}`] : [])), ...held];
    case "key":
      return [action.keys.length > 1 ? "chord" : "key"];
    default:
      return ["move", "mouse_down", "mouse_up", "type", "hold_key", "key_down", "key_up"].includes(action.type) ? [action.type] : [];
  }
}

const POINTER = [...CLICKS, "right click", "middle click", "back click", "forward click", "click with keys", "move", "drag", "drag on a way", "mouse_down", "mouse_up", "scroll up", "scroll down", "scroll left", "scroll right"];
const KEYBOARD = ["type", "key", "chord", "hold_key", "key_down", "key_up"];

it.each<[ApplicationName, string[]]>([
  ["gtk", [...POINTER, ...KEYBOARD]],
  ["qt", [...POINTER, ...KEYBOARD]],
  ["tk", [...POINTER, ...KEYBOARD]],
  ["web", [...POINTER, ...KEYBOARD]],
  // What a shell gets to know of: the rest is for programs that ask a terminal for it.
  ["terminal", ["type", "key", "chord", "double click", "middle click", "drag", "scroll up"]],
])("every kind of input was judged by %s", (application, kinds) => {
  expect([...new Set(performed.get(application)!.flatMap(inputIn))]).toEqual(expect.arrayContaining(kinds));
});

it("every canonical action was performed", () => {
  // A call is of the program's own functions and does nothing to the screen: test/agent/custom-tools.test.ts.
  const onScreen = Action.options.map(({ shape }) => shape.type.value).filter((type) => type !== "call");
  expect([...new Set([...performed.values()].flat().map(({ type }) => type))].sort()).toEqual(onScreen.sort());
});
