import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ApprovalRequest } from "../../src/agent/safety/approver.js";
import { watchTerminal } from "../../src/tools/terminal.js";

const REQUEST: ApprovalRequest = {
  step: 1,
  action: { type: "key", keys: ["ctrl", "w"] },
  description: 'press ctrl+w in "Ren\u001b[2Je"',
  risks: [{ kind: "closes", why: "presses ctrl+w, which closes something" }],
  picture: Buffer.alloc(0),
  shown: { left: 0, top: 0, right: 1, bottom: 1 },
};

function open() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const shown: string[] = [];
  output.setEncoding("utf8").on("data", (text: string) => shown.push(text));
  return { ...watchTerminal(input, output), type: (line: string) => input.write(`${line}\n`), end: () => input.end(), shown: () => shown.join("") };
}

const never = new AbortController().signal;

describe("a person at the terminal", () => {
  it.each([
    ["y", { kind: "approve" }],
    ["YES", { kind: "approve" }],
    ["n", { kind: "refuse" }],
    ["n, use the menu", { kind: "refuse", reason: "use the menu" }],
    ["not that one", { kind: "refuse", reason: "not that one" }],
    ["yes but later", { kind: "refuse", reason: "yes but later" }],
    ["", { kind: "refuse" }],
    ["s", { kind: "stop" }],
  ])("answers %j", async (line, verdict) => {
    const terminal = open();
    const asked = terminal.approver.approve(REQUEST, never);
    await turn();
    terminal.type(line);
    expect(await asked).toEqual(verdict);
  });

  it("is shown what and why, and the screen's words cannot control the terminal", async () => {
    const terminal = open();
    const asked = terminal.approver.approve(REQUEST, never);
    await turn();
    terminal.type("y");
    await asked;
    expect(terminal.shown()).toMatch(/allow: press ctrl\+w in "Ren.\[2Je"\?\n {3}it presses ctrl\+w, which closes something\n/);
    expect(terminal.shown()).not.toContain("\u001b");
  });

  it("stops when the terminal is gone", async () => {
    const terminal = open();
    const asked = terminal.approver.approve(REQUEST, never);
    await turn();
    terminal.end();
    expect(await asked).toEqual({ kind: "stop" });
    expect(await terminal.approver.ask("and now?", never)).toBeUndefined();
  });

  it("is no longer asked when the run is over, and the next line is no answer", async () => {
    const terminal = open();
    const abort = new AbortController();
    const asked = terminal.approver.approve(REQUEST, abort.signal);
    await turn();
    abort.abort(new Error("over"));
    await expect(asked).rejects.toThrow("over");
    expect(terminal.shown()).toMatch(/\[s\]top: no longer asked\n$/);
    terminal.type("y");
    await turn();
    const next = terminal.approver.ask("what now?", never);
    await turn();
    terminal.type("wait for Bob");
    expect(await next).toBe("wait for Bob");
  });

  it("pauses and resumes with Enter, and does one step", async () => {
    const { controller, type, shown } = open();
    const modes: string[] = [];
    controller.onChange(({ mode }) => modes.push(mode));
    for (const line of ["", "", "step", "something else"]) type(line);
    await turn();
    await turn();
    expect(modes).toEqual(["paused", "running", "stepping"]);
    expect(shown()).toContain("paused: Enter was pressed.");
  });
});
