import { afterAll, beforeAll, expect, it } from "vitest";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "../../src/agent/agent.js";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { person } from "../agent/support/people.js";
import { tinyReply } from "../agent/support/replies.js";
import { readTrajectory } from "../agent/support/run-agent.js";
import { ScriptedServer, type ChatRequestBody, type ScriptedReply } from "../agent/support/scripted-server.js";
import { ENGINE_PROGRAM } from "../server/support.js";
import { Hands } from "../tasks/hands.js";
import { stateOf } from "../tasks/scene.js";
import { Stage } from "../tasks/stage.js";

/** A real application, judged by its own state. What to do is scripted, and says nothing of it; what is written on its buttons is read by the embedded model. */

let stage: Stage;
let reader: RunningServer;
let folder: string;
beforeAll(async () => {
  stage = await Stage.open();
  reader = await serve({ engine: new ProcessEngine("tiny", { program: ENGINE_PROGRAM }), port: 0 });
  folder = await mkdtemp(join(tmpdir(), "deskhand-labels-"));
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await reader.close();
  await rm(folder, { recursive: true });
});

/** Puts a question to the embedded model as it came. */
async function read(request: ChatRequestBody): Promise<ScriptedReply> {
  const { stream: _stream, stream_options: _options, ...body } = request;
  const response = await fetch(`${reader.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const { choices, usage } = (await response.json()) as { choices: { message: { content: string } }[]; usage: Record<string, unknown> };
  return { text: choices[0]!.message.content, usage };
}

it.each(["gtk", "tk"] as const)("a silent click on Delete is asked about, and one on Save is not: %s", async (toolkit) => {
  await using scene = await stage.scene(toolkit);
  const hands = new Hands(scene);
  const { width, height } = await stage.opened.computer.display();
  const press = async (name: string) => {
    const { x, y } = await hands.at(name);
    return tinyReply("go on", { action: "left_click", coordinate: [Math.round((x / width) * 1000), Math.round((y / height) * 1000)] });
  };
  const [save, remove] = [await press("Save"), await press("Delete")];
  const run = async (approver: ReturnType<typeof person>) => {
    await using server = await ScriptedServer.start([save, remove, tinyReply("done", { action: "terminate", status: "success" })], { labels: read });
    const outDir = join(folder, `${toolkit}-${server.port}`);
    return await new Agent({ baseURL: server.url, model: "tiny", computer: stage.opened.computer, approver, outDir }).run("tidy up");
  };

  const refusing = person("refuse");
  const refused = await run(refusing);
  expect(refused).toMatchObject({ success: false, stop: "refused", steps: 2 });
  expect(refusing.requests).toMatchObject([{ step: 2, risks: [{ kind: "deletes", why: expect.stringContaining('the control under the pointer says "Delete"') as string }, { kind: "unasked" }] }]);
  expect((await stateOf(scene)).pressed).toEqual(["Save"]);
  const { steps } = await readTrajectory(refused);
  expect(steps.map(({ readings }) => readings?.map(({ text }) => text))).toEqual([["Save"], ["Delete"]]);

  await run(person("approve"));
  expect((await stateOf(scene)).pressed).toEqual(["Save", "Save", "Delete"]);
});
