import { describe, expect, it } from "vitest";
import { Action, type ActionInput } from "../../src/agent/actions.js";
import type { Screenshot } from "../../src/agent/computer/computer.js";
import { LoopGuard } from "../../src/agent/safety/loop-guard.js";

/** A screen that shows a number: different numbers differ by more than a caret. */
function screen(shown: number): Screenshot {
  const data = new Uint8Array(100 * 20 * 4).fill(255);
  data.fill(shown, 0, 100 * 4);
  return { data, widthPx: 100, heightPx: 20 };
}

type Step = [action: ActionInput | ActionInput[], before: number, after: number, summary?: string];

/** The rungs that the guard climbs over these steps. */
function rungs(steps: Step[]): (string | undefined)[] {
  const guard = new LoopGuard(1);
  return steps.map(([actions, before, after, summary]) => guard.record({ actions: [actions].flat().map((action) => Action.parse(action)), summary: summary ?? "step", before: screen(before), after: screen(after) })?.rung);
}

const click = (x: number, y = 50): ActionInput => ({ type: "click", at: { x, y } });
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));

describe("the guard against loops", () => {
  it("climbs from a hint to a stop when the same click changes nothing, and stays there", () => {
    expect(rungs(times(6, () => [click(10), 1, 1]))).toEqual([undefined, "hint", "look", "ask", "stop", "stop"]);
  });

  it("takes clicks within 5 px as the same, and those beyond as others", () => {
    expect(rungs([[click(10, 10), 1, 1], [click(15, 5), 1, 1]])).toEqual([undefined, "hint"]);
    expect(rungs([[click(10, 10), 1, 1], [click(16, 10), 1, 1]])).toEqual([undefined, undefined]);
  });

  it("takes another button, another count and another text as different", () => {
    expect(rungs([[click(10), 1, 1], [{ type: "click", at: { x: 10, y: 50 }, button: "right" }, 1, 1], [{ type: "click", at: { x: 10, y: 50 }, count: 2 }, 1, 1]])).toEqual([undefined, undefined, undefined]);
    expect(rungs([[{ type: "type", text: "a" }, 1, 1], [{ type: "type", text: "b" }, 1, 1]])).toEqual([undefined, undefined]);
  });

  it("notices A-B-A-B when the screen comes back each time, once a round", () => {
    const toggling: Step[] = times(10, (index) => [click(index % 2 === 0 ? 10 : 90), index % 2, (index + 1) % 2]);
    expect(rungs(toggling)).toEqual([undefined, undefined, undefined, "hint", undefined, "look", undefined, "ask", undefined, "stop"]);
  });

  it("notices a circle of three steps", () => {
    expect(rungs(times(6, (index) => [click(10 + 20 * (index % 3)), index % 3, (index + 1) % 3])).at(-1)).toBe("hint");
  });

  it("lets the same click go on for long while it changes the screen", () => {
    const climbed = rungs(times(20, (index) => [click(10), index, index + 1]));
    expect(climbed.flatMap((rung, index) => (rung ? [[index + 1, rung]] : []))).toEqual([[8, "hint"], [12, "look"], [16, "ask"], [20, "stop"]]);
  });

  it("counts only the clicks that had no effect when a button has come to its end", () => {
    const climbed = rungs([...times<Step>(6, (index) => [click(10), index, index + 1]), [click(10), 6, 6], [click(10), 6, 6]]);
    expect(climbed).toEqual([...times(7, () => undefined), "hint"]);
  });

  it("notices a text that is typed again and again, though it appears each time", () => {
    expect(rungs(times(4, (index) => [{ type: "type", text: "Ada" }, index, index + 1]))).toEqual([undefined, undefined, "hint", "look"]);
  });

  it("gives a screen time to load", () => {
    expect(rungs(times(5, () => [{ type: "wait", ms: 1000 }, 1, 1]))).toEqual([undefined, undefined, undefined, undefined, "hint"]);
  });

  it("tells steps that have nothing to do by their words", () => {
    expect(rungs(times(4, (index) => [{ type: "wait", ms: 0 }, 1, 1, `check ${index}`]))).toEqual(times(4, () => undefined));
    expect(rungs(times(2, () => [{ type: "wait", ms: 0 }, 1, 1, "check News"]))).toEqual([undefined, "hint"]);
  });

  it("notices that different steps all change nothing", () => {
    const climbed = rungs(times(11, (index) => [click(20 * index), 1, 1]));
    expect(climbed.flatMap((rung, index) => (rung ? [[index + 1, rung]] : []))).toEqual([[5, "hint"], [7, "look"], [9, "ask"], [11, "stop"]]);
  });

  it("does not take waiting and pointing for steps without effect", () => {
    expect(rungs(times(8, (index) => (index % 2 === 0 ? [{ type: "move", to: { x: 20 * index, y: 5 } }, 1, 1] : [{ type: "wait", ms: 100 * index }, 1, 1])))).toEqual(times(8, () => undefined));
  });

  it("starts anew after something else", () => {
    expect(rungs([[click(10), 1, 1], [click(10), 1, 1], [click(90), 1, 2], [click(10), 2, 2], [click(10), 2, 2]])).toEqual([undefined, "hint", undefined, undefined, "hint"]);
  });

  it("says what happens and where", () => {
    const guard = new LoopGuard(1);
    const step = { actions: [Action.parse(click(10))], summary: "click OK", before: screen(1), after: screen(1) };
    guard.record(step);
    expect(guard.record(step)).toEqual({ rung: "hint", pattern: '"click OK" was done 2 times in a row, and the screen is as it was before', target: { x: 10, y: 50 } });
    guard.reset();
    expect(guard.record(step)).toBeUndefined();
  });
});
