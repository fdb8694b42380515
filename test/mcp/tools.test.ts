import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { Action } from "../../src/agent/actions.js";
import { Secrets } from "../../src/agent/safety/secrets.js";
import type { MemoryComputerOptions } from "../../src/agent/computer/memory.js";
import { oneWindow } from "../agent/support/people.js";
import { call, withPlace } from "./support.js";

/** The tools, as the SDK's own client sees them, on a computer in memory. */

const SAVE = { intent: "press the Save button" };

describe("the tools", () => {
  it("are the canonical actions under their own names and with their own arguments, and two more", async () => {
    await withPlace({}, async ({ connect }) => {
      const client = await connect();
      const { tools } = await client.listTools();
      const own = Action.options.map(({ shape }) => shape.type.value).filter((name) => !["call", "answer", "terminate"].includes(name));
      expect(tools.map(({ name }) => name)).toEqual([...own, "run_task", "release"]);
      const named = Object.fromEntries(tools.map((tool) => [tool.name, tool]));
      expect(Object.keys(named["click"]!.inputSchema.properties!)).toEqual(["at", "button", "count", "held", "intent"]);
      expect(named["click"]!.inputSchema).toMatchObject({ additionalProperties: false, required: ["intent"], properties: { button: { default: "left", enum: ["left", "right", "middle", "back", "forward"] } } });
      expect(named["scroll"]!.inputSchema.required).toBeUndefined();
      expect(named["screenshot"]!.annotations).toMatchObject({ readOnlyHint: true, destructiveHint: false });
      expect(named["type"]!.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: true });
      expect(named["move"]!.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: false });
      expect(client.getServerVersion()).toMatchObject({ name: "deskhand", version: "1.2.3" });
      expect(client.getInstructions()).toMatch(/pixels of the whole picture/);
    });
  });

  it("do what they are asked, in order, at the places named", async () => {
    await withPlace({}, async ({ connect, computer }) => {
      const client = await connect();
      const did = [
        (await call(client, "click", { at: { x: 100, y: 200 }, button: "right", count: 2, ...SAVE })).structuredContent?.["did"],
        (await call(client, "drag", { from: { x: 10, y: 10 }, to: { x: 20, y: 30 }, intent: "move the card" })).structuredContent?.["did"],
        (await call(client, "scroll", { up: -3 })).structuredContent?.["did"],
        (await call(client, "type", { text: "héllo ", intent: "fill in the name" })).structuredContent?.["did"],
        (await call(client, "key", { keys: ["ctrl", "a"], intent: "select everything" })).structuredContent?.["did"],
        (await call(client, "wait", { ms: 1 })).structuredContent?.["did"],
      ];
      expect(did).toEqual(["right double click at (100, 200)", "drag from (10, 10) to (20, 30)", "scroll down 3", 'type "héllo "', "press ctrl+a", "wait 0.001 s"]);
      const acts = computer.events.filter(({ type }) => type !== "move");
      expect(acts).toEqual([
        { type: "click", button: "right", count: 2, at: { x: 100, y: 200 } },
        { type: "press", button: "left", at: { x: 10, y: 10 } },
        { type: "release", button: "left", at: { x: 20, y: 30 } },
        { type: "scroll", up: -3, left: 0, at: { x: 20, y: 30 } },
        { type: "type", text: "héllo " },
        { type: "chord", keys: ["ctrl", "a"] },
      ]);
    });
  });

  it.each<[string, string, Record<string, unknown>, RegExp]>([
    ["a missing argument", "click", { at: { x: 1, y: 1 } }, /The call of click is not valid: intent: /],
    ["an unknown one", "click", { position: [1, 2], ...SAVE }, /The call of click is not valid: .*position/],
    ["a wrong value", "click", { button: "third", ...SAVE }, /one of "left", "right".*received "third"/],
    ["a place outside of the picture", "click", { at: { x: 640, y: 0 }, ...SAVE }, /inside the screenshot \(x from 0 to 639 .*received \[640, 0\]\. Take another look/],
    ["an unknown key", "key", { keys: ["hyperspace"], intent: "go" }, /hyperspace/],
    ["a secret that nobody allowed", "type", { text: "{{secret:MAIL}}", intent: "log in" }, /Expected only secrets.*MAIL/],
    ["endless waiting", "wait", { ms: 1e9 }, /ms: .*600000/],
    ["an unknown tool", "fly", {}, /Expected one of the tools click, .* but received "fly"/],
    ["an ending, which has none", "terminate", { success: true }, /received "terminate"/],
  ])("answer %s with an error that says what was expected and what came", async (_case, name, args, message) => {
    await withPlace({}, async ({ connect, computer }) => {
      const { isError, text } = await call(await connect(), name, args);
      expect({ isError, text }).toEqual({ isError: true, text: expect.stringMatching(message) as string });
      expect(computer.events.filter(({ type }) => type !== "releaseAll")).toEqual([]);
    });
  });
});

describe("pictures", () => {
  const picture = async (result: Awaited<ReturnType<typeof call>>) => {
    const image = result.content.find((part) => part.type === "image");
    return image && { ...(await sharp(Buffer.from(image.data, "base64")).metadata()), bytes: Buffer.from(image.data, "base64").length };
  };

  it.each<[string, Partial<MemoryComputerOptions>, { width: number; height: number }, { at: { x: number; y: number }; reaches: { x: number; y: number } }]>([
    ["as large as the desktop counts itself", { widthPx: 1024, heightPx: 768 }, { width: 1024, height: 768 }, { at: { x: 1023, y: 767 }, reaches: { x: 1023, y: 767 } }],
    ["Retina in logical pixels", { widthPx: 800, heightPx: 600, scale: 2 }, { width: 800, height: 600 }, { at: { x: 10, y: 20 }, reaches: { x: 10, y: 20 } }],
    ["a large desktop made smaller, left of the main one", { widthPx: 2560, heightPx: 1600, x: -2560, y: 0 }, { width: 1280, height: 800 }, { at: { x: 100, y: 100 }, reaches: { x: -2360, y: 200 } }],
    ["a long one within the longest side", { widthPx: 3136, heightPx: 320 }, { width: 1568, height: 160 }, { at: { x: 784, y: 80 }, reaches: { x: 1568, y: 160 } }],
  ])("%s: the result says how its pixels lie, and clicks arrive there", async (_case, computer, size, { at, reaches }) => {
    await withPlace({ computer }, async ({ connect, computer: memory }) => {
      const client = await connect();
      const shot = await call(client, "screenshot");
      expect(await picture(shot)).toMatchObject(size);
      expect(shot.structuredContent).toMatchObject({ view: { picture: size, shown: { x: 0, y: 0, ...size }, desktop: { x: computer.x ?? 0, width: computer.widthPx } } });
      const { scale, desktop } = (shot.structuredContent as { view: { scale: { x: number; y: number }; desktop: { x: number; y: number } } }).view;
      expect([Math.round(desktop.x + at.x * scale.x), Math.round(desktop.y + at.y * scale.y)]).toEqual([reaches.x, reaches.y]);
      await call(client, "click", { at, ...SAVE });
      expect(memory.events.at(-1)).toMatchObject({ type: "click", at: reaches });
    });
  });

  it("of noise stay within the bound", async () => {
    const paint: MemoryComputerOptions["paint"] = ({ data }) => {
      for (let i = 0, seed = 1; i < data.length; i++) data[i] = (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 16;
    };
    await withPlace({ computer: { widthPx: 1920, heightPx: 1200, paint } }, async ({ connect }) => {
      const shot = (await picture(await call(await connect(), "screenshot")))!;
      expect(shot).toMatchObject({ width: 1280, height: 800, format: "jpeg" });
      expect(shot.bytes).toBeLessThanOrEqual(1_000_000);
    });
  });

  it("of a part are enlarged, and places still count in the whole", async () => {
    await withPlace({ computer: { widthPx: 2560, heightPx: 1600 } }, async ({ connect, computer }) => {
      const client = await connect();
      const zoomed = await call(client, "zoom", { region: { x: 100, y: 100, width: 320, height: 200 } });
      expect(await picture(zoomed)).toMatchObject({ width: 1280, height: 800 });
      expect(zoomed.structuredContent).toMatchObject({ view: { picture: { width: 1280, height: 800 }, shown: { x: 100, y: 100, width: 320, height: 200 } } });
      await call(client, "click", { at: { x: 150, y: 150 }, ...SAVE });
      expect(computer.events.at(-1)).toMatchObject({ at: { x: 300, y: 300 } });
    });
  });

  it("come with every action, or only when asked for, and show what it did", async () => {
    let painted = 255;
    const computer: Partial<MemoryComputerOptions> = { paint: ({ data }) => void data.fill(painted), onEvent: ({ type }) => void (painted = type === "click" ? 0 : painted) };
    await withPlace({ computer }, async ({ connect }) => {
      const client = await connect();
      const clicked = await call(client, "click", SAVE);
      expect(clicked.structuredContent).toMatchObject({ hadEffect: true });
      expect((await sharp(Buffer.from((clicked.content[1] as { data: string }).data, "base64")).stats()).channels[0]!.mean).toBe(0);
      expect((await call(client, "click", SAVE)).structuredContent).toMatchObject({ hadEffect: false });
    });
    await withPlace({ mcp: { pictures: "asked" } }, async ({ connect }) => {
      const client = await connect();
      expect((await call(client, "click", SAVE)).content.map(({ type }) => type)).toEqual(["text"]);
      expect((await call(client, "screenshot")).content.map(({ type }) => type)).toEqual(["text", "image"]);
    });
  });

  it("of a window that has moved since are no place to click", async () => {
    const place = { x: 0, y: 0, width: 200, height: 100 };
    await withPlace({}, async ({ connect, computer }) => {
      const client = await connect();
      await call(client, "screenshot");
      const display = computer.display.bind(computer);
      computer.display = async () => ({ ...(await display()), ...place });
      const { isError, text } = await call(client, "click", { at: { x: 10, y: 10 }, ...SAVE });
      expect({ isError, text }).toEqual({ isError: true, text: expect.stringMatching(/where the last picture showed it \(640 × 480 at 0, 0\) but it is 200 × 100/) as string });
      expect(computer.events.filter(({ type }) => type === "click")).toEqual([]);
    });
  });
});

describe("secrets", () => {
  it("that were allowed are typed, and shown to nobody", async () => {
    const secrets = await Secrets.load("{{secret:PIN}}", async () => "hunter22", new AbortController().signal);
    const windows = oneWindow({ id: "1", applications: ["mail"], title: "Log in" });
    await withPlace({ desk: { secrets, confirm: "never" }, computer: { windows } }, async ({ connect, computer }) => {
      const result = await call(await connect(), "type", { text: "my {{secret:PIN}}", intent: "log in" });
      expect(computer.events.filter(({ type }) => type === "type")).toEqual([{ type: "type", text: "my " }, { type: "type", text: "hunter22" }]);
      expect(JSON.stringify(result)).not.toContain("hunter22");
    });
  });
});
