import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Action } from "../../src/agent/actions.js";
import { toolReply } from "../agent/support/replies.js";
import { ScriptedServer } from "../agent/support/scripted-server.js";
import { FAMILIES } from "./families.js";
import { Hands } from "./hands.js";
import { oracleModel } from "./oracle.js";
import { Stage } from "./stage.js";
import { TASKS } from "./suite/index.js";

/** Real applications on a real display, through the whole agent: only the model is scripted. The applications say what arrived. */

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage[Symbol.asyncDispose]());

/** Of the oracle, over all tasks. */
const performed = new Set<string>();

describe.each([...new Set(TASKS.map(({ application }) => application))])("on %s", (application) => {
  it.each(TASKS.filter((task) => task.application === application).map((task) => [task.id, task] as const))("%s: the oracle does it, doing nothing does not", async (_id, task) => {
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
    for (const { actions } of steps) for (const { action } of actions) performed.add(action.type);
  });
});

it("every canonical action was performed", () => {
  // A call is of the program's own functions and does nothing to the screen: test/agent/custom-tools.test.ts.
  const onScreen = Action.options.map(({ shape }) => shape.type.value).filter((type) => type !== "call");
  expect([...performed].sort()).toEqual(onScreen.sort());
});
