import type * as ChildProcessModule from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import sharp from "sharp";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import type { ToEngine } from "../../src/engine/host/protocol.js";
import type { ChatRequest, InferenceEvent } from "../../src/engine/inference.js";
import type { ChatMessage } from "../../src/engine/messages.js";
import { load } from "../../src/engine/model.js";
import { FIXTURES } from "../golden/support/golden.js";
import { ENGINE_PROGRAM } from "./support.js";

const MODEL = `${FIXTURES}qwen3-vl/model`;
/** Its processor takes every picture with its pixels. */
const FORGETFUL = `${FIXTURES}gemma3/model`;

/** Noise, whose file is larger than what is sent without a name. */
async function picture(seed: number, side = 64): Promise<Buffer> {
  let state = seed;
  const data = Uint8Array.from({ length: side * side * 3 }, () => (state = (state * 48271) % 2147483647) & 255);
  return sharp(data, { raw: { width: side, height: side, channels: 3 } }).png().toBuffer();
}

function history(...images: Buffer[]): ChatRequest {
  const messages = images.flatMap((image, i): ChatMessage[] => [...(i > 0 ? [{ role: "assistant" as const, content: "ok" }] : []), { role: "user", content: [{ type: "text", text: `step ${i}` }, { type: "image", image }] }]);
  return { messages, temperature: 0, maxTokens: 4 };
}

async function answerOf(events: AsyncIterable<InferenceEvent>): Promise<{ text: string; promptTokens: number; cachedTokens: number }> {
  let text = "";
  for await (const event of events) {
    if (event.type === "text") text += event.text;
    if (event.type === "finish") return { text, promptTokens: event.usage.promptTokens, cachedTokens: event.usage.cachedTokens };
  }
  throw new Error("the answer has no end");
}

/** Of each call since the last time, whether each picture's bytes were sent with it; and how many were sent because they were asked for. */
let sent: ToEngine[];
function taken(): { along: boolean[][]; asked: number } {
  const messages = sent.splice(0);
  const calls = messages.flatMap((message) => (message.type === "call" && message.name === "generate" ? [message.request.messages] : []));
  const pictures = calls.map((call) => call.flatMap(({ content }) => (typeof content === "string" ? [] : content.flatMap((part) => (part.type === "image" ? [part.image] : [])))));
  return { along: pictures.map((images) => images.map((image) => image instanceof Uint8Array || (typeof image === "object" && "bytes" in image && image.bytes !== undefined))), asked: messages.filter(({ type }) => type === "picture").length };
}

beforeEach(() => void (sent = []));

vi.mock("node:child_process", async (original) => {
  const childProcess = await original<typeof ChildProcessModule>();
  return {
    ...childProcess,
    fork: (...args: Parameters<typeof childProcess.fork>) => {
      const child = childProcess.fork(...args);
      const send = child.send.bind(child) as (...what: unknown[]) => boolean;
      child.send = (message: unknown, ...rest: unknown[]) => {
        sent.push(message as ToEngine);
        return send(message, ...rest);
      };
      return child;
    },
  };
});

describe("an engine's process and the pictures it knows", () => {
  it("gets each picture once, and answers as the model here does", async () => {
    const [a, b, c] = [await picture(1), await picture(2), await picture(3)];
    await using model = await load(MODEL);
    const engine = new ProcessEngine(MODEL, { program: ENGINE_PROGRAM });
    try {
      await engine.start();
      for (const request of [history(a), history(a, b), history(a, b, c), history(a, c), history(a, b)]) expect(await answerOf(engine.generate(request))).toEqual(await answerOf(model.streamChat(request)));
      expect(taken()).toEqual({ along: [[true], [false, true], [false, false, true], [false, false], [false, false]], asked: 0 });
      expect(await engine.promptTokens(history(a, b))).toEqual(await model.promptTokens(history(a, b)));
    } finally {
      await engine.stop();
    }
  });

  it("asks for those of which its caches have nothing, and forgets all with its life", async () => {
    const [a, b] = [await picture(1), await picture(2)];
    const engine = new ProcessEngine(MODEL, { program: ENGINE_PROGRAM, prefixCacheBytes: 0, featureCacheBytes: 0 });
    try {
      await engine.start();
      const first = await answerOf(engine.generate(history(a, b)));
      expect(taken()).toEqual({ along: [[true, true]], asked: 0 });
      // Several at once, each with its own pictures.
      const both = await Promise.all([history(a, b), history(b, a)].map((request) => answerOf(engine.generate(request))));
      expect(both[0]).toEqual(first);
      expect(both[1]).not.toEqual(first);
      expect(taken()).toEqual({ along: [[false, false], [false, false]], asked: 4 });
      process.kill(engine.pid!, "SIGKILL");
      while (engine.pid !== undefined) await delay(10);
      while (engine.pid === undefined) await delay(10);
      taken();
      expect(await answerOf(engine.generate(history(a, b)))).toEqual(first);
      expect(taken()).toEqual({ along: [[true, true]], asked: 0 });
    } finally {
      await engine.stop();
    }
  });

  it("gets them with every call where its model cannot do without, and small ones always", async () => {
    const [a, small] = [await picture(1), await picture(1, 8)];
    for (const [model, image] of [[FORGETFUL, a], [MODEL, small]] as const) {
      const engine = new ProcessEngine(model, { program: ENGINE_PROGRAM });
      try {
        await engine.start();
        const first = await answerOf(engine.generate(history(image)));
        expect(await answerOf(engine.generate(history(image)))).toMatchObject({ text: first.text });
        expect(taken()).toEqual({ along: [[true], [true]], asked: 0 });
      } finally {
        await engine.stop();
      }
    }
  });

  it("is not even asked when whoever asked has left before the pictures were looked at", async () => {
    const engine = new ProcessEngine(MODEL, { program: ENGINE_PROGRAM });
    try {
      await engine.start();
      const controller = new AbortController();
      const answer = answerOf(engine.generate(history(await picture(1)), { signal: controller.signal }));
      controller.abort();
      await expect(answer).rejects.toMatchObject({ code: "cancelled" });
      expect(taken()).toEqual({ along: [], asked: 0 });
      expect((await answerOf(engine.generate(history(await picture(1))))).promptTokens).toBeGreaterThan(0);
    } finally {
      await engine.stop();
    }
  });
});
