import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { toolReply } from "../agent/support/replies.js";
import { ScriptedServer } from "../agent/support/scripted-server.js";

/** The examples as a reader runs them, on displays of their own, judged by what zenity received. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TSX = fileURLToPath(import.meta.resolve("tsx"));
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "deskhand-examples-"));
  // They import the library as it is built.
  await once(spawn(process.execPath, [join(ROOT, "bin/deskhand.js"), "--version"], { stdio: "ignore" }), "exit");
});
afterAll(() => rm(home, { recursive: true }));

const PICTURE = join(ROOT, "test/golden/fixtures/embedded/screens/zenity-filled.png");
const SENTENCE = join(ROOT, "test/golden/fixtures/embedded/sounds/us-press.wav");

/** Trajectories go to the working directory. */
async function run(example: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, ["--import", TSX, join(ROOT, "examples", example), ...args], { cwd: home, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close") as Promise<[number]>]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

it("agent.ts: the embedded model answers a question box", async () => {
  expect(await run("agent.ts")).toMatch(/^zenity received: Ada$/m);
});

it("safe-agent.ts: the same within a capability file, and nothing is asked about", async () => {
  const printed = await run("safe-agent.ts");
  expect(printed).toMatch(/^zenity received: Ada$/m);
  expect(printed).not.toMatch(/^refused/m);
});

it("planner-grounder.ts: one model says what to do, another one where", async () => {
  const call = (name: string, args: object) => ({ toolCalls: [{ name, arguments: JSON.stringify(args) }] });
  await using planner = await ScriptedServer.start([call("click", { target: "the field Name" }), call("type", { text: "Ada" }), call("key", { keys: ["enter"] }), call("finish", { success: true })]);
  await using grounder = await ScriptedServer.start([{ text: "Action: click(start_box='(644,398)')" }]);
  expect(await run("planner-grounder.ts", "planner", planner.url, "UI-TARS-1.5-7B", grounder.url)).toMatch(/^zenity received: Ada$/m);
  expect(JSON.stringify(grounder.requests[0]!.messages)).toContain("the field Name");
});

it("custom-tool.ts: the model asks the program's own function, and enters what it returns", async () => {
  await using model = await ScriptedServer.start([
    { toolCalls: [{ name: "find_price", arguments: '{"article": "A-17"}' }] },
    toolReply({ action: "left_click", coordinate: [500, 497] }),
    toolReply({ action: "type", text: "19.90" }),
    toolReply({ action: "key", keys: ["enter"] }),
    toolReply({ action: "terminate", status: "success" }),
  ]);
  expect(await run("custom-tool.ts", model.url)).toMatch(/^zenity received: 19\.90$/m);
  expect(JSON.stringify(model.requests[1]!.messages)).toMatch(/find_price returned .*19\.90/);
});

it("voice.ts: a recorded sentence is written down, is the task, and is done or not", async () => {
  const printed = await run("voice.ts", SENTENCE);
  expect([...printed.matchAll(/^ *\{? *type: '(\w+)'/gm)].map(([, type]) => type)).toEqual(["heard", "task", "result"]);
  expect(printed).toContain("{ type: 'task', task: 'Press the Save button' }");
});

it("mcp-client.ts: a client types into a form", async () => {
  expect(await run("mcp-client.ts")).toBe("Ada\n");
});

it.each(["server.ts", "library.ts"])("%s: the embedded model clicks what it sees on a picture, and what it cost is told", async (example) => {
  const printed = await run(example, PICTURE);
  expect(printed).toMatch(/^<tool_call>\n.*"left_click", "coordinate": \[\d+, \d+\].*\n<\/tool_call>/);
  expect(printed).toMatch(/\n\d+ tokens in, \d+ out/);
});
