import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { MemoryComputer, openComputer, watchFailsafeCorner, type Computer, type FailsafeOptions } from "../../src/agent/computer/index.js";
import { until, xdotool } from "../support/desktop.js";

/** Several polls long. */
const A_WHILE_MS = 40;

function watched(options: FailsafeOptions = {}): { computer: MemoryComputer; count: () => number } & Disposable {
  const computer = new MemoryComputer({ widthPx: 100, heightPx: 80 });
  let triggered = 0;
  const watch = watchFailsafeCorner(computer, () => (triggered += 1), { pollMs: 2, ...options });
  return { computer, count: () => triggered, [Symbol.dispose]: () => watch[Symbol.dispose]() };
}

describe("the failsafe corner", () => {
  it("triggers once when a person pushes the pointer into it", async () => {
    using watch = watched();
    await sleep(A_WHILE_MS);
    watch.computer.moveByPerson({ x: 0, y: 0 });
    await until("it triggers", () => watch.count() === 1);
    watch.computer.moveByPerson({ x: 50, y: 50 });
    await sleep(A_WHILE_MS);
    watch.computer.moveByPerson({ x: 0, y: 0 });
    await sleep(A_WHILE_MS);
    expect(watch.count()).toBe(1);
  });

  it.each([
    ["top-left", 0, 0],
    ["top-right", 99, 0],
    ["bottom-left", 0, 79],
    ["bottom-right", 99, 79],
  ] as const)("can be %s, and no other", async (corner, x, y) => {
    using watch = watched({ corner });
    await sleep(A_WHILE_MS);
    for (const other of [{ x: 99 - x, y }, { x, y: 79 - y }, { x: 99 - x, y: 79 - y }]) {
      watch.computer.moveByPerson(other);
      await sleep(A_WHILE_MS);
    }
    expect(watch.count()).toBe(0);
    watch.computer.moveByPerson({ x, y });
    await until("it triggers", () => watch.count() === 1);
  });

  it("ignores the agent's own move there, but not a person's after it", async () => {
    using watch = watched();
    await sleep(A_WHILE_MS);
    await watch.computer.move({ x: 0, y: 0 });
    await sleep(A_WHILE_MS);
    expect(watch.count()).toBe(0);
    watch.computer.moveByPerson({ x: 40, y: 40 });
    await sleep(A_WHILE_MS);
    watch.computer.moveByPerson({ x: 0, y: 0 });
    await until("it triggers", () => watch.count() === 1);
  });

  it("ignores a pointer that was there from the start", async () => {
    const computer = new MemoryComputer({ widthPx: 100, heightPx: 80 });
    computer.moveByPerson({ x: 0, y: 0 });
    let triggered = false;
    using _watch = watchFailsafeCorner(computer, () => (triggered = true), { pollMs: 2 });
    await sleep(A_WHILE_MS);
    expect(triggered).toBe(false);
  });

  it("ends with its disposable, and survives a pointer that cannot be read", async () => {
    const errors: unknown[] = [];
    const broken = { display: () => Promise.reject(new Error("gone")) } as unknown as Computer;
    {
      using _watch = watchFailsafeCorner(broken, () => undefined, { pollMs: 2, onError: (error) => errors.push(error) });
      await until("it reports", () => errors.length > 1);
    }
    const count = errors.length;
    await sleep(A_WHILE_MS);
    expect(errors.length).toBeLessThanOrEqual(count + 1);
  });

  it("sees another program move the pointer of a real display", async () => {
    const opened = await openComputer({ display: "virtual" });
    try {
      const stop = new AbortController();
      using _watch = watchFailsafeCorner(opened.computer, () => stop.abort(), { pollMs: 5 });
      await opened.computer.move({ x: 300, y: 200 });
      await sleep(A_WHILE_MS);
      await opened.computer.move({ x: 0, y: 0 });
      await sleep(A_WHILE_MS);
      expect(stop.signal.aborted).toBe(false);
      await opened.computer.move({ x: 300, y: 200 });
      await sleep(A_WHILE_MS);
      await xdotool(opened.env, "mousemove", "0", "0");
      await until("it aborts", () => stop.signal.aborted);
    } finally {
      await opened.close();
    }
  });
});
