import { describe, expect, it } from "vitest";
import type { Screenshot, Windows } from "../../src/agent/computer/computer.js";
import type { ComputerEvent, MemoryComputerOptions } from "../../src/agent/computer/memory.js";
import { computerCall, finishCall } from "./support/events.js";
import { callText, message, response, tinyReply, toolReply } from "./support/replies.js";
import { oneWindow, person } from "./support/people.js";
import { readTrajectory, withAgent } from "./support/run-agent.js";
import type { Script, ScriptedReply } from "./support/scripted-server.js";

/** Between the screenshot that the model saw and its action the screen may change: nothing is done then where it aims. */

const QWEN = { model: "qwen", dialect: "qwen3" };
const DONE = toolReply({ action: "terminate", status: "success" });
/** At (320, 240) of 640 × 480. */
const CLICK = toolReply({ action: "left_click", coordinate: [500, 500] }, "Action: click OK");

/** Clicks at these places of 640 × 480, in one reply. */
function batch(...places: [number, number][]): ScriptedReply {
  return { text: places.map(([x, y]) => callText({ action: "left_click", coordinate: [(x * 1000) / 640, (y * 1000) / 480] })).join("\n") };
}

const clicksOf = ({ events }: { events: ComputerEvent[] }) => events.flatMap((event) => (event.type === "click" ? [event.at] : []));

/** Not where the pointer is at the beginning, whose surroundings may change. */
const OPENED: Mark = { left: 460, top: 340 };

/** Something appears there once so many clicks were made. */
function openedByClick(count: number): Partial<MemoryComputerOptions> {
  return {
    paint: (frame, { events }) => {
      if (clicksOf({ events }).length >= count) fill(frame, OPENED, 7);
    },
  };
}

const doneTo = ({ events }: { events: ComputerEvent[] }): string[] => events.map(({ type }) => type).filter((type) => type !== "releaseAll" && type !== "move");

interface Mark {
  left: number;
  top: number;
  width?: number;
  height?: number;
}

/** The screen changes while the model thinks, as often as `times` says: the mark gets another shade. */
function changing(mark: Mark, times = 1): { computer: Partial<MemoryComputerOptions>; onRequest: () => void } {
  let shade = 255;
  let left = times;
  return {
    onRequest: () => {
      if (left > 0) shade -= 20;
      left -= 1;
    },
    computer: { paint: (frame) => fill(frame, mark, shade) },
  };
}

function fill({ data, widthPx }: Screenshot, { left, top, width = 40, height = 40 }: Mark, shade: number): void {
  for (let y = top; y < top + height; y++) data.fill(shade, (y * widthPx + left) * 4, (y * widthPx + left + width) * 4);
}

/** A model that says these in turn; whenever it thinks, something may happen to the screen. */
function thinking(happens: () => void, ...replies: ScriptedReply[]): Script {
  const rest = [...replies];
  return async () => {
    happens();
    return rest.shift() ?? DONE;
  };
}

const POPUP: Mark = { left: 300, top: 220 };

describe("a screen that changes before the action", () => {
  it("at the target: nothing is done, and the model is told with the new screen", async () => {
    const { computer: more, onRequest } = changing(POPUP);
    await withAgent(thinking(onRequest, CLICK, CLICK), async ({ agent, computer, server }) => {
      const result = await agent.run("press OK");
      expect(result).toMatchObject({ success: true, steps: 3, staleSteps: 1 });
      expect(doneTo(computer)).toEqual(["click"]);
      const [first, second] = server.requests.map(({ messages }) => JSON.stringify(messages));
      expect(second).toContain("Not done: click at (320, 240). The screen changed at the target before the action; look again.");
      expect(pictureIn(second!)).not.toBe(pictureIn(first!));
      const { steps, result: line } = await readTrajectory(result);
      expect(steps.map(({ stale, done }) => ({ stale, done }))).toEqual([{ stale: true, done: 0 }, { stale: undefined, done: 1 }, { stale: undefined, done: 1 }]);
      expect(steps[0]!.notDone).toBe("The screen changed at the target before the action.");
      expect(line.staleSteps).toBe(1);
    }, { agent: QWEN, computer: more });
  });

  it("and not: it is done at once", async () => {
    await withAgent([CLICK, DONE], async ({ agent, computer }) => {
      let capturesAtClick = 0;
      const click = computer.click.bind(computer);
      computer.click = async (...args) => {
        capturesAtClick = computer.captures;
        await click(...args);
      };
      const result = await agent.run("press OK");
      expect(result).toMatchObject({ success: true, steps: 2 });
      expect(result.staleSteps).toBeUndefined();
      // The one the model saw, the one that was held against it, and the one on which its label was read.
      expect(capturesAtClick).toBe(3);
    }, { agent: QWEN });
  });

  it.each<[string, Mark]>([
    ["elsewhere", { left: 20, top: 20 }],
    ["by a caret at the target", { left: 320, top: 230, width: 2, height: 20 }],
  ])("%s: it is done", async (_, mark) => {
    const { computer: more, onRequest } = changing(mark);
    await withAgent(thinking(onRequest, CLICK), async ({ agent, computer }) => {
      expect(await agent.run("press OK")).toMatchObject({ success: true, steps: 2 });
      expect(doneTo(computer)).toEqual(["click"]);
    }, { agent: QWEN, computer: more });
  });

  it("always: after two fresh looks it is done all the same", async () => {
    const { computer: more, onRequest } = changing(POPUP, Infinity);
    await withAgent(thinking(onRequest, CLICK, CLICK, CLICK), async ({ agent, computer }) => {
      expect(await agent.run("press OK")).toMatchObject({ success: true, steps: 4, staleSteps: 2 });
      expect(doneTo(computer)).toEqual(["click"]);
    }, { agent: QWEN, computer: more });
  });

  it("is seen anew also by a model that can be told nothing", async () => {
    const { computer: more, onRequest } = changing(POPUP);
    const click = tinyReply("click OK", { action: "left_click", coordinate: [500, 500] });
    await withAgent(thinking(onRequest, click, click, tinyReply("done", { action: "terminate", status: "success" })), async ({ agent, computer, server }) => {
      expect(await agent.run("press OK")).toMatchObject({ success: true, staleSteps: 1 });
      expect(doneTo(computer)).toEqual(["click"]);
      expect(server.requests[1]!.messages).toHaveLength(server.requests[0]!.messages.length);
    }, { computer: more });
  });

  it("because the only window that is shown has moved, which looks as it did", async () => {
    let x = 100;
    const windows = { ...oneWindow({ id: "1", applications: ["gedit"], title: "Letter" }), list: async () => [{ id: "1", applications: ["gedit"], title: "Letter", x, y: 100, width: 200, height: 200 }] };
    await withAgent(thinking(() => (x += x === 100 ? 50 : 0), CLICK, CLICK), async ({ agent, computer }) => {
      expect(await agent.run("press OK")).toMatchObject({ success: true, staleSteps: 1 });
      expect(computer.events.flatMap((event) => (event.type === "click" ? [event.at] : []))).toEqual([{ x: 250, y: 200 }]);
    }, { agent: { ...QWEN, window: "Letter" }, computer: { windows } });
  });

  it("counts for every target of a step before its first action", async () => {
    const { computer: more, onRequest } = changing(POPUP);
    await withAgent(thinking(onRequest, batch([64, 48], [320, 240]), batch([64, 48], [320, 240])), async ({ agent, computer }) => {
      expect(await agent.run("press OK")).toMatchObject({ success: true, staleSteps: 1 });
      expect(clicksOf(computer)).toEqual([{ x: 64, y: 48 }, { x: 320, y: 240 }]);
    }, { agent: QWEN, computer: more });
  });

  it("between two actions of a step: the rest is not done, and the model is told how far it came", async () => {
    await withAgent([batch([64, 48], [100, 300], [480, 360]), batch([480, 360]), DONE], async ({ agent, computer, server }) => {
      const result = await agent.run("press OK");
      expect(result).toMatchObject({ success: true, steps: 3, staleSteps: 1 });
      expect(clicksOf(computer)).toEqual([{ x: 64, y: 48 }, { x: 100, y: 300 }, { x: 480, y: 360 }]);
      expect(JSON.stringify(server.requests[1]!.messages)).toContain("Not done: click at (480, 360). The screen changed at the target before the action. Of 3 actions only the first 2 were done. Look at the screen again.");
      const { steps } = await readTrajectory(result);
      expect(steps[0]).toMatchObject({ stale: true, done: 2, notDone: "The screen changed at the target before the action." });
    }, { agent: QWEN, computer: openedByClick(2) });
  });

  it("while a person is asked about a later action of a step: what came in between stops it", async () => {
    let isAsked = false;
    const approver = person(async ({ action }) => {
      isAsked = action.type === "drag";
      // Longer than a ruling takes by itself. What is around the drag's way is not in the approval, which holds for its ends.
      await new Promise((resolve) => setTimeout(resolve, 150));
      return { kind: "approve" };
    });
    const path = [{ type: "drag", path: [{ x: 64, y: 48 }, { x: 480, y: 360 }, { x: 600, y: 48 }] }];
    await withAgent([response(computerCall([{ type: "click", x: 64, y: 400, button: "left" }, ...path])), response(finishCall)], async ({ agent, computer }) => {
      expect(await agent.run("draw")).toMatchObject({ success: true, staleSteps: 1 });
      expect(doneTo(computer)).toEqual(["click"]);
    }, { agent: { model: "gpt-5", apiKey: "unused", confirm: "always", approver }, computer: { paint: (frame) => void (isAsked && fill(frame, OPENED, 7)) } });
  });

  it.each<[string, [number, number][]]>([
    ["where the step itself has acted before", [[480, 360], [500, 370]]],
    ["far from every later target", [[64, 48], [64, 400]]],
  ])("between two actions of a step %s: all of it is done", async (_, places) => {
    await withAgent([batch(...places), DONE], async ({ agent, computer }) => {
      const result = await agent.run("press OK");
      expect(result).toMatchObject({ success: true, steps: 2 });
      expect(result.staleSteps).toBeUndefined();
      expect(clicksOf(computer)).toHaveLength(2);
    }, { agent: QWEN, computer: openedByClick(1) });
  });

  it("between two actions of a step that drags something meanwhile: it is dragged to the end", async () => {
    const drag = [{ action: "left_mouse_down", coordinate: [64, 48] }, { action: "mouse_move", coordinate: [480, 360] }, { action: "left_mouse_up", coordinate: [480, 360] }];
    const paint = (frame: Screenshot, { events }: { events: readonly ComputerEvent[] }) => void (events.some(({ type }) => type === "press") && fill(frame, OPENED, 7));
    await withAgent([message(...drag.map((input) => ({ call: "computer", input }))), message({ call: "finish", input: { success: true, message: "" } })], async ({ agent, computer }) => {
      const result = await agent.run("drag it");
      expect(result).toMatchObject({ success: true, steps: 2 });
      expect(result.staleSteps).toBeUndefined();
      expect(doneTo(computer)).toEqual(["press", "release"]);
    }, { agent: { model: "claude-opus-4-5", apiKey: "unused" }, computer: { paint } });
  });

  it("between two actions of a step, always: after two fresh looks the rest is done all the same", async () => {
    let shade = 0;
    const paint = (frame: Screenshot, { events }: { events: readonly ComputerEvent[] }) => void (events.some(({ type }) => type === "click") && fill(frame, OPENED, (shade += 30) % 256));
    await withAgent([batch([64, 48], [480, 360]), batch([64, 100], [480, 360]), batch([64, 200], [480, 360]), DONE], async ({ agent, computer }) => {
      expect(await agent.run("press OK")).toMatchObject({ success: true, staleSteps: 2 });
      expect(clicksOf(computer)).toEqual([{ x: 64, y: 48 }, { x: 64, y: 200 }, { x: 480, y: 360 }]);
    }, { agent: QWEN, computer: { paint } });
  });

  it.each([
    ["drag", { action: "left_click_drag", coordinate: [500, 500] }],
    ["double click", { action: "double_click", coordinate: [500, 500] }],
    ["scroll", { action: "scroll", coordinate: [500, 500], pixels: -100 }],
  ])("holds back a %s too", async (_, args) => {
    const { computer: more, onRequest } = changing(POPUP);
    await withAgent(thinking(onRequest, toolReply(args)), async ({ agent, computer }) => {
      expect(await agent.run("press OK")).toMatchObject({ success: true, staleSteps: 1 });
      expect(doneTo(computer)).toEqual([]);
    }, { agent: QWEN, computer: more });
  });

  it("is noticed also when it changes while a person is asked about another target", async () => {
    let shade = 255;
    const approver = person(async () => {
      shade = 99;
      // Longer than a ruling takes by itself.
      await new Promise((resolve) => setTimeout(resolve, 150));
      return { kind: "approve" };
    });
    const batch = { text: `Action: click Delete\n${[{ action: "left_click", coordinate: [100, 100] }, { action: "left_click", coordinate: [500, 500] }].map(callText).join("\n")}` };
    await withAgent([batch, DONE], async ({ agent, computer }) => {
      expect(await agent.run("delete it")).toMatchObject({ success: true, staleSteps: 1 });
      expect(doneTo(computer)).toEqual([]);
    }, { agent: { ...QWEN, approver }, computer: { paint: (frame) => fill(frame, POPUP, shade) } });
  });

  const TYPE = toolReply({ action: "type", text: "Ada" }, "Action: type Ada");
  /** The window that has the keyboard changes while the model thinks. */
  function focusMoves(): { windows: Windows; onRequest: () => void } {
    const [letter, popup] = [{ id: "1", applications: ["gedit"], title: "Letter" }, { id: "2", applications: ["gedit"], title: "Tip of the day" }];
    let focused = letter;
    return { windows: { ...oneWindow(letter), focused: async () => focused }, onRequest: () => (focused = popup) };
  }

  it("because another window took the keyboard: nothing is typed into it", async () => {
    const { windows, onRequest } = focusMoves();
    await withAgent(thinking(onRequest, TYPE, TYPE), async ({ agent, computer, server }) => {
      expect(await agent.run("type Ada")).toMatchObject({ success: true, steps: 3, staleSteps: 1 });
      expect(computer.events.flatMap((event) => (event.type === "type" ? [event.text] : []))).toEqual(["Ada"]);
      expect(JSON.stringify(server.requests[1]!.messages)).toContain("Not done: type \\\"Ada\\\". Another window took the keyboard before the action; look again.");
    }, { agent: QWEN, computer: { windows } });
  });

  it("in another window than the keyboard's, behind a click: it is done, since the click may give it the keyboard", async () => {
    const { windows, onRequest } = focusMoves();
    const both = { text: [{ action: "left_click", coordinate: [500, 500] }, { action: "type", text: "Ada" }].map(callText).join("\n") };
    await withAgent(thinking(onRequest, both), async ({ agent, computer }) => {
      expect(await agent.run("type Ada")).toMatchObject({ success: true, steps: 2 });
      expect(doneTo(computer)).toEqual(["click", "type"]);
    }, { agent: QWEN, computer: { windows } });
  });
});

function pictureIn(messages: string): string | undefined {
  return [...messages.matchAll(/data:image\/png;base64,[^"]+/g)].at(-1)?.[0];
}
