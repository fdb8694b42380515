import Anthropic from "@anthropic-ai/sdk";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { serve } from "../../src/server/start.js";
import { ENGINE_PROGRAM } from "./support.js";

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "deskhand-prefixes-"))));
afterAll(() => rm(dir, { recursive: true }));

async function picture(background: string): Promise<string> {
  const png = await sharp({ create: { width: 320, height: 320, channels: 3, background } }).png().toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

const look = (url: string): OpenAI.ChatCompletionMessageParam => ({ role: "user", content: [{ type: "text", text: "Task: press OK" }, { type: "image_url", image_url: { url } }] });

describe("a server whose prefix cache has a disk", () => {
  /** Answers of a server of its own: text and how much of the prompt was cached. */
  async function withServer<T>(body: (ask: (messages: OpenAI.ChatCompletionMessageParam[]) => Promise<{ text: string; prompt: number; cached: number }>, engine: ProcessEngine, url: string) => Promise<T>): Promise<T> {
    const engine = new ProcessEngine("tiny", { program: ENGINE_PROGRAM, prefixCacheBytes: 0, prefixCacheDiskBytes: 2 ** 30, prefixCacheDir: dir });
    await using server = await serve({ engine, port: 0 });
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 5 });
    // Waited for here: the server goes with this block.
    return await body(async (messages) => {
      const { choices, usage } = await client.chat.completions.create({ model: "tiny", temperature: 0, max_tokens: 8, messages });
      return { text: choices[0]!.message.content!, prompt: usage!.prompt_tokens, cached: usage!.prompt_tokens_details!.cached_tokens! };
    }, engine, server.url); // prettier-ignore
  }

  it("goes on from it after the engine was killed and after a restart, and says truly how much was there", async () => {
    const [blue, grey] = [await picture("#3355aa"), await picture("#dddddd")];
    const first = await withServer(async (ask, engine) => {
      const asked = await ask([look(blue)]);
      expect(asked.cached).toBe(0);
      // Written as soon as memory, which holds nothing, lets go of it.
      while ((await readdir(dir)).every((name) => !name.endsWith(".safetensors"))) await new Promise((resolve) => setTimeout(resolve, 20));
      process.kill(engine.pid!, "SIGKILL");
      return asked;
    });
    await withServer(async (ask) => {
      const again = await ask([look(blue)]);
      // The last row runs again for what comes after it.
      expect(again).toEqual({ ...first, cached: first.prompt - 1 });
      const next = await ask([look(blue), { role: "assistant", content: first.text }, look(grey)]);
      expect(next.cached).toBeGreaterThanOrEqual(first.prompt);
      expect(next.cached).toBeLessThan(next.prompt);
      // Of another picture nothing is there from its place on.
      const other = await ask([look(grey)]);
      expect(other.prompt).toBe(first.prompt);
      expect(other.cached).toBeLessThan(first.prompt - 100);
    });
  });

  it("says so in the words of Anthropic's messages and of responses too, once the engine's process is another", async () => {
    await withServer(async (_ask, engine, url) => {
      const anthropic = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 5 });
      const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 5 });
      const [knock, call] = ["knock ", "call "].map((word) => word.repeat(150)) as [string, string];
      // The client's types know no temperature any more.
      const inAnthropics = { model: "tiny", temperature: 0, max_tokens: 8, messages: [{ role: "user" as const, content: knock }] };
      const asked = [
        async () => {
          const { content, usage } = await anthropic.messages.create(inAnthropics);
          const cached = usage.cache_read_input_tokens!;
          return { text: content, prompt: usage.input_tokens + cached, cached };
        },
        async () => {
          const { output_text: text, usage } = await openai.responses.create({ model: "tiny", temperature: 0, max_output_tokens: 8, input: call });
          return { text, prompt: usage!.input_tokens, cached: usage!.input_tokens_details.cached_tokens };
        },
      ];
      for (const ask of asked) {
        const written = async () => (await readdir(dir)).filter((name) => name.endsWith(".safetensors")).length;
        const before = await written();
        const first = await ask();
        // At most the beginning of every prompt, which another request may have left.
        expect(first.cached).toBeLessThan(first.prompt - 100);
        while ((await written()) === before) await new Promise((resolve) => setTimeout(resolve, 20));
        process.kill(engine.pid!, "SIGKILL");
        expect(await ask()).toEqual({ ...first, cached: first.prompt - 1 });
      }
    });
  });
});
