import { describe, expect, it } from "vitest";
import { dialectByName } from "../../src/agent/dialects/index.js";
import { sentSize } from "../../src/agent/scene.js";
import { drawScreen, type DrawnButton } from "../../src/tools/doctor/drawn-screen.js";
import { checkGrounding } from "../../src/tools/doctor/grounding.js";
import { toolReply } from "./support/replies.js";
import { ScriptedServer, type ScriptedReply } from "./support/scripted-server.js";

/** The middle of a button, in parts of the screen. */
type Share = { x: number; y: number };
type Says = (at: Share, sent: { width: number; height: number }, button: DrawnButton) => ScriptedReply;

const pixels = ({ x, y }: Share, { width, height }: { width: number; height: number }) => [Math.round(x * width), Math.round(y * height)];
const thousand = ({ x, y }: Share) => [Math.round(x * 1000), Math.round(y * 1000)];
const click = (coordinate: (number | undefined)[]) => toolReply({ action: "left_click", coordinate });

/** Asks a server that answers for every button as the test says. */
async function test(dialectName: string, says: Says) {
  const dialect = dialectByName(dialectName);
  const { display, buttons } = await drawScreen(dialect.display);
  const sent = sentSize(display, dialect.pictureSize);
  const middle = ({ place }: DrawnButton) => ({ x: (place.x + place.width / 2) / display.width, y: (place.y + place.height / 2) / display.height });
  await using server = await ScriptedServer.start(buttons.map((button) => says(middle(button), sent, button)), { models: ["some-model"] });
  const [check] = await checkGrounding({ baseURL: server.url, model: "some-model", dialect: dialectName }, new AbortController().signal);
  return { check: check!, requests: server.requests, buttons };
}

describe("the model's aim", () => {
  it.each<[string, Says]>([
    ["qwen3", (at) => click(thousand(at))],
    ["qwen2.5", (at, sent) => click(pixels(at, sent))],
    ["ui-tars-1.5", (at, sent) => ({ text: `Thought: There.\nAction: click(start_box='(${pixels(at, sent).join()})')` })],
    ["showui", ({ x, y }) => ({ text: `{'action': 'CLICK', 'value': None, 'position': [${x}, ${y}]}` })],
    ["gemma3", (at) => ({ text: `\`\`\`tool_code\nclick(x=${thousand(at)[0]}, y=${thousand(at)[1]})\n\`\`\`` })],
  ])("is right where a model answers as its dialect %s has it", async (dialect, says) => {
    const { check, requests, buttons } = await test(dialect, says);
    expect(check).toMatchObject({ id: "grounding", status: "ok", found: expect.stringMatching(new RegExp(`^9 of 9 buttons hit in the dialect ${dialect}`)) as string });
    expect(requests).toHaveLength(9);
    expect(buttons.every(({ label }, index) => JSON.stringify(requests[index]!.messages).includes(`Click the ${label} button`))).toBe(true);
  });

  it.each<[string, string, Says, string]>([
    ["pixels for 0 to 1000", "qwen3", (at, sent) => click(pixels(at, sent)), "--dialect qwen2.5"],
    ["0 to 1000 for pixels", "qwen2.5", (at) => click(thousand(at)), "--dialect qwen3"],
    ["0 to 1000 for UI-TARS's pixels", "ui-tars-1.5", (at) => ({ text: `Action: click(start_box='(${thousand(at).join()})')` }), "--dialect ui-tars"],
    ["pixels for UI-TARS's 0 to 1000", "ui-tars", (at, sent) => ({ text: `Action: click(start_box='(${pixels(at, sent).join()})')` }), "--dialect ui-tars-1.5"],
  ])("is wrong by its convention, and the right dialect is named: %s", async (_case, dialect, says, mend) => {
    const { check } = await test(dialect, says);
    expect(check).toMatchObject({ status: "fail", found: expect.stringMatching(/ of 9 buttons hit in .*, but 9 if its coordinates are/) as string, mend });
  });

  it("counts on a picture that its server made smaller", async () => {
    const { check } = await test("qwen2.5", (at) => click(pixels(at, { width: 640, height: 360 })));
    expect(check).toMatchObject({ status: "fail", found: expect.stringMatching(/9 if its coordinates are in pixels of a picture of about 6[34]\d × 3[56]\d/) as string, mend: expect.stringContaining("keep pictures as they are") as string });
  });

  it("cannot be told from answers in another format, whose dialect is named", async () => {
    const { check } = await test("qwen3", ({ x, y }) => ({ text: `{'action': 'CLICK', 'value': None, 'position': [${x}, ${y}]}` }));
    expect(check).toMatchObject({ status: "fail", found: expect.stringMatching(/^0 of 9 answers are in the format of the dialect qwen3/) as string, mend: expect.stringMatching(/^--dialect showui/) as string });
    expect((await test("qwen3", () => ({ text: "I would click it." }))).check).toMatchObject({ status: "fail", mend: expect.stringContaining("trained to operate a computer") as string });
  });

  it("is weak, or bad, where it misses in every convention", async () => {
    let asked = 0;
    const some = await test("qwen3", (at) => click(asked++ % 3 === 0 ? [500, 990] : thousand(at)));
    expect(some.check).toMatchObject({ status: "warn", found: expect.stringMatching(/^6 of 9/) as string });
    const none = await test("qwen3", () => click([500, 990]));
    expect(none.check).toMatchObject({ status: "fail", found: expect.stringMatching(/^0 of 9/) as string });
  });

  it("fails by name when the server cannot be asked", async () => {
    expect(await checkGrounding({ baseURL: "http://127.0.0.1:9", model: "qwen" }, new AbortController().signal)).toMatchObject([{ status: "fail", found: expect.stringContaining("127.0.0.1:9") as string }]);
    expect(await checkGrounding({ baseURL: "http://127.0.0.1:9", model: "gpt-4o" }, new AbortController().signal)).toMatchObject([{ status: "fail", found: expect.stringContaining("--dialect") as string }]);
  });
});
