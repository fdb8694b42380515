import { beforeAll, expect, it } from "vitest";
import { ScriptedEngine } from "../../src/engine/scripted-engine.js";
import { serve } from "../../src/server/start.js";
import { pythonWithClients, runPython } from "./python.js";
import { HARD, repliesOf } from "./support.js";

/** Making it takes as long as the package index does, once. */
const SET_UP_TIMEOUT_MS = 600_000;

let python: string;
beforeAll(async () => {
  python = await pythonWithClients();
}, SET_UP_TIMEOUT_MS);

it("openai for Python reads the same from a stream, however it was cut, as from the whole answer", async () => {
  const replies = repliesOf(HARD);
  // Each is read whole and streamed.
  await using server = await serve({ engine: new ScriptedEngine((_request, index) => replies[Math.floor(index / 2)] ?? { text: HARD.text }), port: 0, apiKey: "the-key" });
  const read = (await runPython(python, "openai_client.py", [`${server.url}/v1`, "scripted", String(replies.length)])) as { chats: unknown[]; models: string[] };
  const said = { content: HARD.text, reasoning: HARD.reasoning, calls: HARD.calls, finish: ["tool_calls"] };
  expect(read.chats).toEqual(replies.map(() => ({ whole: said, streamed: said })));
  expect(read).toMatchObject({ response: [HARD.text, HARD.text, "completed"], errors: [["NotFoundError", 404], ["BadRequestError", 400]] });
  expect(read.models).toContain("scripted");
});
