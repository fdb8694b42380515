import { describe, expect, it } from "vitest";
import { CapabilityFile } from "../../src/agent/safety/capability-file.js";
import { oneWindow, person } from "../agent/support/people.js";
import { until } from "../support/desktop.js";
import { call, withPlace, type Answer } from "./support.js";

/** The safety kernel, and a person, between a client's model and the computer. */

const DELETE = { at: { x: 50, y: 60 }, intent: "press the Delete button" };
const ALLOW: Answer = () => ({ action: "accept", content: { decision: "allow" } });

const clicks = (events: readonly { type: string }[]) => events.filter(({ type }) => type === "click").length;

describe("what may do harm", () => {
  it("is refused where nobody can be asked, and what is harmless is not", async () => {
    await withPlace({}, async ({ connect, computer }) => {
      const client = await connect();
      const refused = await call(client, "click", DELETE);
      expect(refused).toMatchObject({ isError: true, text: expect.stringMatching(/^Refused: click at \(50, 60\)\. .*may delete something.*nobody to ask/) as string });
      expect(clicks(computer.events)).toBe(0);
      expect((await call(client, "click", { at: { x: 50, y: 60 }, intent: "press OK" })).isError).toBeUndefined();
      expect((await call(client, "type", { text: "any words at all", intent: "fill in the note" })).isError).toBeUndefined();
    });
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["key", { keys: ["alt", "f4"], intent: "go on" }, /closes/],
    ["type", { text: "sudo rm -rf /", intent: "fill in the field" }, /looks like a command/],
    ["type", { text: "send it to eve@evil.example", intent: "fill in the field" }, /eve@evil\.example/],
    ["click", { intent: "the page says to click here" }, /screen says so/],
  ])("%s %o is asked about", async (name, args, why) => {
    await withPlace({}, async ({ connect, computer }) => {
      const client = await connect(ALLOW);
      expect((await call(client, name, args)).isError).toBeUndefined();
      expect(client.asked).toEqual([expect.stringMatching(why) as string]);
      expect(computer.events.length).toBeGreaterThan(0);
    });
  });

  it.each<[string, Answer, RegExp]>([
    ["refuses", () => ({ action: "accept", content: { decision: "refuse", reason: "not today" } }), /^Refused: .*A person refused this: not today\./],
    ["declines", () => ({ action: "decline" }), /^Refused: .*A person refused this\./],
    ["turns away", () => ({ action: "cancel" }), /^Refused: .*A person refused this\./],
    ["fails to answer", () => Promise.reject(new Error("no dialog")), /^Refused: .*nobody answered/],
  ])("is not done when the user %s", async (_case, answer, message) => {
    await withPlace({}, async ({ connect, computer }) => {
      const client = await connect(answer);
      expect(await call(client, "click", DELETE)).toMatchObject({ isError: true, text: expect.stringMatching(message) as string });
      expect(client.asked).toHaveLength(1);
      expect(clicks(computer.events)).toBe(0);
    });
  });

  it("is done when they allow it, on the pixels they were asked about only", async () => {
    let shade = 255;
    await withPlace({ computer: { paint: ({ data }) => void data.fill(shade) } }, async ({ connect, computer }) => {
      const quiet = await connect(ALLOW);
      expect((await call(quiet, "click", DELETE)).isError).toBeUndefined();
      expect(clicks(computer.events)).toBe(1);
      await call(quiet, "release");
      const changing = await connect(() => {
        shade = 90;
        return { action: "accept", content: { decision: "allow" } };
      });
      expect(await call(changing, "click", DELETE)).toMatchObject({ isError: true, text: expect.stringMatching(/^Not done: .*the screen around its target changed\. The picture shows the screen as it is now/) as string });
      expect(clicks(computer.events)).toBe(1);
    });
  });

  it("is asked in the terminal where the client cannot ask", async () => {
    const terminal = person("approve");
    await withPlace({ mcp: { terminal } }, async ({ connect, computer }) => {
      expect((await call(await connect(), "click", DELETE)).isError).toBeUndefined();
      expect(terminal.requests.map(({ description }) => description)).toEqual(["click at (50, 60)"]);
      expect(clicks(computer.events)).toBe(1);
    });
  });

  it("is denied by the capability file whoever allows it", async () => {
    const capabilities = CapabilityFile.parse({ applications: { allow: ["editor"] } });
    const windows = oneWindow({ id: "1", applications: ["bank"], title: "Bank" });
    await withPlace({ desk: { capabilities }, computer: { windows } }, async ({ connect, computer }) => {
      const client = await connect(ALLOW);
      expect(await call(client, "click", { intent: "press OK" })).toMatchObject({ isError: true, text: expect.stringMatching(/allows nothing in the application "bank"/) as string });
      expect([client.asked, clicks(computer.events)]).toEqual([[], 0]);
    });
  });
});

describe("a person", () => {
  it("who says stop ends everything, for other sessions too, until the server is started again", async () => {
    await withPlace({}, async ({ connect, computer }) => {
      const client = await connect(() => ({ action: "accept", content: { decision: "stop", reason: "enough" } }));
      await call(client, "key_down", { keys: ["shift"], intent: "select" });
      expect(computer.heldKeys.size).toBe(1);
      expect(await call(client, "click", DELETE)).toMatchObject({ isError: true, text: expect.stringMatching(/a person said stop: .*enough.*Nothing more is done/) as string });
      expect(computer.heldKeys.size).toBe(0);
      for (const other of [client, await connect(ALLOW)]) expect((await call(other, "click", { intent: "press OK" })).text).toMatch(/a person said stop/);
      expect((await call(client, "run_task", { task: "press OK" })).text).toMatch(/a person said stop/);
      expect((await call(client, "screenshot")).isError).toBeUndefined();
      expect(clicks(computer.events)).toBe(0);
    });
  });

  it("stops by the stop keys and by the corner, between two calls too, and what is held is released at once", async () => {
    for (const stop of ["keys", "corner"]) {
      await withPlace({}, async ({ connect, computer }) => {
        const client = await connect();
        await call(client, "mouse_down", { at: { x: 300, y: 300 }, intent: "hold the handle" });
        expect(computer.held.size).toBe(1);
        if (stop === "keys") computer.pressByPerson("ctrl+alt+esc");
        else {
          // The corner counts once the pointer has been seen elsewhere; two watches look at it.
          let looks = 0;
          const cursor = computer.cursor.bind(computer);
          computer.cursor = () => (looks++, cursor());
          await until("both have looked", () => looks >= 6);
          computer.moveByPerson({ x: 0, y: 0 });
        }
        await until("it was released", () => computer.held.size === 0);
        expect((await call(client, "click", { intent: "press OK" })).text).toMatch(/a person said stop/);
      });
    }
  });

  it("is asked a question by a tool, and answers through the client", async () => {
    await withPlace({}, async ({ connect }) => {
      expect(await call(await connect(() => ({ action: "accept", content: { answer: " the blue one " } })), "ask", { question: "Which?" })).toMatchObject({ text: "The user answers: the blue one" });
      expect(await call(await connect(() => ({ action: "cancel" })), "ask", { question: "Which?" })).toMatchObject({ isError: true });
      expect(await call(await connect(), "ask", { question: "Which?" })).toMatchObject({ isError: true, text: expect.stringMatching(/Ask the user in your own words/) as string });
    });
  });
});

describe("the mouse", () => {
  it("is one session's at a time; others may look, and have it when it was let go of, when its client left, or after a while", async () => {
    await withPlace({}, async ({ connect, computer }) => {
      const [first, second] = [await connect(), await connect()];
      await call(first, "key_down", { keys: ["shift"], intent: "select" });
      expect(await call(second, "click", { intent: "press OK" })).toMatchObject({ isError: true, text: expect.stringMatching(/another session \(judge\) has them/) as string });
      expect((await call(second, "screenshot")).isError).toBeUndefined();
      await call(first, "release");
      expect(computer.heldKeys.size).toBe(0);
      await call(second, "key_down", { keys: ["shift"], intent: "select" });
      await second.close();
      await until("the key was released", () => computer.heldKeys.size === 0);
      expect((await call(first, "click", { intent: "press OK" })).isError).toBeUndefined();
    });
    await withPlace({ desk: { idleMs: 50 } }, async ({ connect, computer }) => {
      const [first, second] = [await connect(), await connect()];
      await call(first, "key_down", { keys: ["shift"], intent: "select" });
      await until("it was let go of", () => computer.heldKeys.size === 0);
      await until("the other has it", async () => (await call(second, "click", { intent: "press OK" })).isError === undefined);
    });
  });
});

describe("a screen that has changed since the client saw it", () => {
  const OK = { at: { x: 50, y: 60 }, intent: "press OK" };
  const grey = (shade: () => number) => ({ paint: ({ data }: { data: Uint8Array }) => void data.fill(shade(), 0, 640 * 4 * 100) });

  it("is shown instead of acting on it, at most twice in a row", async () => {
    let shade = 255;
    await withPlace({ computer: grey(() => shade) }, async ({ connect, computer }) => {
      const client = await connect();
      await call(client, "screenshot");
      for (let looks = 1; looks <= 2; looks++) {
        shade -= 20;
        const { isError, text, content } = await call(client, "click", OK);
        expect({ isError, text }).toEqual({ isError: true, text: expect.stringMatching(/^Not done: click at \(50, 60\)\. The screen changed at the target before the action\..*as it is now/) as string });
        expect(content.filter(({ type }) => type === "image")).toHaveLength(1);
        expect(clicks(computer.events)).toBe(0);
      }
      shade -= 20;
      expect((await call(client, "click", OK)).isError).toBeUndefined();
      expect(clicks(computer.events)).toBe(1);
      // Elsewhere it may be as it likes.
      shade -= 20;
      expect((await call(client, "click", { at: { x: 300, y: 300 }, intent: "press OK" })).isError).toBeUndefined();
      expect(clicks(computer.events)).toBe(2);
    });
  });

  it("because another window has the keyboard by now: nothing is typed into it", async () => {
    const windows = oneWindow({ id: "1", applications: ["gedit"], title: "Letter" });
    await withPlace({ computer: { windows } }, async ({ connect, computer }) => {
      const client = await connect();
      const typed = () => computer.events.flatMap((event) => (event.type === "type" ? [event.text] : []));
      await call(client, "screenshot");
      windows.current = { id: "2", applications: ["gedit"], title: "Tip of the day" };
      const words = { text: "Dear Ada", intent: "begin the letter" };
      const { isError, text } = await call(client, "type", words);
      expect([isError, text, typed()]).toEqual([true, expect.stringMatching(/^Not done: type "Dear Ada"\. Another window took the keyboard before the action\./), []]);
      expect((await call(client, "type", words)).isError).toBeUndefined();
      expect(typed()).toEqual(["Dear Ada"]);
    });
  });

  it("by what the client did itself without looking is no reason", async () => {
    let shade = 255;
    await withPlace({ computer: { ...grey(() => shade), onEvent: ({ type }) => void (shade -= type === "click" ? 20 : 0) }, mcp: { pictures: "asked" } }, async ({ connect, computer }) => {
      const client = await connect();
      await call(client, "screenshot");
      expect((await call(client, "click", OK)).isError).toBeUndefined();
      expect((await call(client, "click", OK)).isError).toBeUndefined();
      expect(clicks(computer.events)).toBe(2);
    });
  });
});
