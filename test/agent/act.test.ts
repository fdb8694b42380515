import { describe, expect, it } from "vitest";
import { perform } from "../../src/agent/act.js";
import { Action, type ActionInput } from "../../src/agent/actions.js";
import { checkActions } from "../../src/agent/check.js";
import { MemoryComputer, type ComputerEvent } from "../../src/agent/computer/index.js";
import { wheelUnits } from "../../src/agent/computer/wheel.js";

const SIZE = { widthPx: 200, heightPx: 100 };
const at = { x: 10, y: 20 };
/** Where the pointer of a new `MemoryComputer` is. */
const middle = { x: 100, y: 50 };

async function eventsOf(...actions: ActionInput[]): Promise<ComputerEvent[]> {
  const computer = new MemoryComputer(SIZE);
  for (const action of actions) await perform(computer, Action.parse(action), new AbortController().signal);
  return computer.events;
}

describe("an action is done", () => {
  it.each<[ActionInput, ComputerEvent[]]>([
    [{ type: "click", at, button: "back" }, [{ type: "move", to: at }, { type: "click", button: "back", count: 1, at }]],
    [{ type: "click", held: ["ctrl", "shift"] }, [{ type: "keyDown", keys: ["ctrl", "shift"] }, { type: "click", button: "left", count: 1, at: middle }, { type: "keyUp", keys: ["ctrl", "shift"] }]],
    [{ type: "move", to: at, held: ["alt"] }, [{ type: "keyDown", keys: ["alt"] }, { type: "move", to: at }, { type: "keyUp", keys: ["alt"] }]],
    [{ type: "scroll", at, up: -2.5, left: 1, held: ["ctrl"] }, [{ type: "keyDown", keys: ["ctrl"] }, { type: "move", to: at }, { type: "scroll", up: -2.5, left: 1, at }, { type: "keyUp", keys: ["ctrl"] }]],
    [{ type: "mouse_down", at, button: "middle" }, [{ type: "move", to: at }, { type: "press", button: "middle", at }]],
    [{ type: "mouse_up" }, [{ type: "release", button: "left", at: middle }]],
    [{ type: "key_down", keys: ["shift"] }, [{ type: "keyDown", keys: ["shift"] }]],
    [{ type: "key_up", keys: ["shift"] }, [{ type: "keyUp", keys: ["shift"] }]],
    [{ type: "hold_key", keys: ["w"], ms: 5 }, [{ type: "keyDown", keys: ["w"] }, { type: "keyUp", keys: ["w"] }]],
    [{ type: "screenshot" }, []],
    [{ type: "zoom", region: { x: 0, y: 0, width: 10, height: 10 } }, []],
    [{ type: "ask", question: "Which one?" }, []],
    [{ type: "wait", ms: 0 }, []],
  ])("%o", async (action, events) => {
    expect(await eventsOf(action)).toEqual(events);
  });

  it("drags through every point of its path, with the keys and the button held all the way", async () => {
    const events = await eventsOf({ type: "drag", from: { x: 0, y: 0 }, via: [{ x: 50, y: 0 }, { x: 50, y: 60 }], to: { x: 7, y: 60 }, button: "right", held: ["shift"] });
    expect(events.slice(0, 3)).toEqual([{ type: "keyDown", keys: ["shift"] }, { type: "move", to: { x: 0, y: 0 } }, { type: "press", button: "right", at: { x: 0, y: 0 } }]);
    expect(events.slice(-2)).toEqual([{ type: "release", button: "right", at: { x: 7, y: 60 } }, { type: "keyUp", keys: ["shift"] }]);
    const moves = events.slice(3, -2).map((event) => event.type === "move" && event.to);
    for (const corner of [{ x: 50, y: 0 }, { x: 50, y: 60 }, { x: 7, y: 60 }]) expect(moves).toContainEqual(corner);
    // Along straight lines, in order: right, down, left.
    const turns = moves.slice(1).map((to, index) => to && moves[index] && `${Math.sign(to.x - moves[index].x)},${Math.sign(to.y - moves[index].y)}`);
    expect(turns.filter((turn, index) => turn !== turns[index - 1])).toEqual(["1,0", "0,1", "-1,0"]);
  });

  it.each<[string, ActionInput]>([
    ["click", { type: "click", held: ["ctrl"] }],
    ["press", { type: "drag", to: at, held: ["ctrl"] }],
    ["scroll", { type: "scroll", up: 1, held: ["ctrl"] }],
    ["keyDown", { type: "hold_key", keys: ["a"], ms: 1000 }],
  ])("lets go of its keys when the computer fails at %s", async (failing, action) => {
    const computer = new MemoryComputer({
      ...SIZE,
      onEvent: ({ type }) => {
        if (type === failing) throw new Error("broken");
      },
    });
    await expect(perform(computer, Action.parse(action), new AbortController().signal)).rejects.toThrow("broken");
    expect([...computer.heldKeys]).toEqual([]);
  });

  it("lets go of a key that is held for a while when it is aborted", async () => {
    const abort = new AbortController();
    const computer = new MemoryComputer({ ...SIZE, onEvent: () => abort.abort() });
    await expect(perform(computer, Action.parse({ type: "hold_key", keys: ["a"], ms: 60_000 }), abort.signal)).rejects.toThrow();
    expect([...computer.heldKeys]).toEqual([]);
  });
});

describe("an action is refused before it is begun", () => {
  it.each<[ActionInput[], RegExp]>([
    [[{ type: "click", held: ["ctrl", "wibble"] }], /"wibble"/],
    [[{ type: "hold_key", keys: ["wibble"], ms: 1 }], /"wibble"/],
    [[{ type: "key_down", keys: ["wibble"] }], /"wibble"/],
    [[{ type: "type", text: "a\u0007b" }], /U\+0007/],
    [[{ type: "click", at: { x: 200, y: 5 } }], /\(200, 5\)/],
    [[{ type: "drag", from: { x: -1, y: 0 }, to: at }], /\(-1, 0\)/],
    [[{ type: "drag", via: [{ x: 0, y: 100 }], to: at }], /\(0, 100\)/],
    [[{ type: "move", to: at }, { type: "mouse_up", at: { x: 5, y: 1000 } }], /\(5, 1000\)/],
  ])("%o", async (actions, why) => {
    await expect(checkActions(actions.map((action) => Action.parse(action)), new MemoryComputer(SIZE))).rejects.toMatchObject({ code: "model_output", message: expect.stringMatching(why) as string });
  });

  it("for a button that the system cannot press", async () => {
    const computer = Object.assign(new MemoryComputer(SIZE), { buttons: ["left", "right"] });
    await expect(checkActions([Action.parse({ type: "click", button: "back" })], computer)).rejects.toThrow(/left, right but received back/);
  });

  it("but not for the corner 0, 0", async () => {
    const drag = Action.parse({ type: "drag", from: { x: 0, y: 0 }, to: { x: 0, y: 99 } });
    await checkActions([drag], new MemoryComputer(SIZE));
    expect((await eventsOf(drag))[0]).toEqual({ type: "move", to: { x: 0, y: 0 } });
  });
});

describe("a wheel click", () => {
  it.each([
    [3, "x11", 3],
    [-2.4, "x11", -2],
    [0.05, "x11", 1],
    [-0.05, "x11", -1],
    [0, "x11", 0],
    [3, "macos", 300],
    [-0.05, "macos", -5],
    [1, "windows", 120],
    [-2.5, "windows", -300],
    [0.001, "windows", 1],
  ] as const)("%d on %s is %d", (clicks, system, units) => {
    expect(wheelUnits(clicks, system)).toBe(units);
  });
});
