import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { NativeKeyboard } from "../../src/agent/computer/native-keyboard.js";
import type { Nut } from "../../src/agent/computer/nut.js";

/** nut-js with a clipboard in memory. `pasted` is what stood there whenever the paste shortcut's V was pressed. */
function clipboardOf(content: string) {
  const at = { content, pasted: [] as string[], pressed: [] as number[] };
  const nut = {
    Key: { LeftCmd: 1, LeftControl: 2, V: 3, Return: 4, Tab: 5 },
    clipboard: { getContent: () => Promise.resolve(at.content), setContent: (text: string) => Promise.resolve(void (at.content = text)) },
    keyboard: {
      pressKey: (...keys: number[]) => {
        if (keys.includes(3)) at.pasted.push(at.content);
        at.pressed.push(...keys.filter((key) => key > 3));
        return Promise.resolve();
      },
      releaseKey: () => Promise.resolve(),
    },
  } as unknown as Nut;
  return { at, keyboard: new NativeKeyboard(nut, () => undefined) };
}

it("leaves a typed text on the clipboard for applications that read it late, and puts back a second later what the person had there", async () => {
  const { at, keyboard } = clipboardOf("theirs");
  await keyboard.type("one\ntwo");
  expect(at).toEqual({ content: "two", pasted: ["one", "two"], pressed: [4] });
  await keyboard.type("three");
  expect(at.content).toBe("three");
  await sleep(1200);
  expect(at.content).toBe("theirs");
});

it("puts the clipboard back at once when it is closed, and leaves it alone where only keys were typed", async () => {
  const { at, keyboard } = clipboardOf("theirs");
  await keyboard.type("\t\n");
  expect(at).toEqual({ content: "theirs", pasted: [], pressed: [5, 4] });
  await keyboard.type("one");
  await keyboard.close();
  expect(at.content).toBe("theirs");
});

it("keeps what the person copied in the meantime", async () => {
  const { at, keyboard } = clipboardOf("old");
  await keyboard.type("one");
  at.content = "new";
  await keyboard.type("two");
  expect(at.pasted).toEqual(["one", "two"]);
  await keyboard.close();
  expect(at.content).toBe("new");

  await keyboard.type("three");
  at.content = "newest";
  await sleep(1200);
  expect(at.content).toBe("newest");
});
