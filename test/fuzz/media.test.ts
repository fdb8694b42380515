import { fileURLToPath } from "node:url";
import { Agent, request } from "undici";
import { expect, it } from "vitest";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { serve } from "../../src/server/start.js";
import { ENGINE_PROGRAM } from "../server/support.js";
import { Random } from "../unit/support/random-schemas.js";
import { badBody, SEEDS } from "./bodies.js";
import { complaint, until } from "./checks.js";
import { damaged, dataUri, goodFiles } from "./media.js";

const PICTURES = 600;
const SOUNDS = 100;
/** Bodies that reach a real engine: its template, its grammars, its tokenizer. */
const BODIES = 300;
const AT_ONCE = 4;
/** Random; it sees and hears. */
const OMNI = fileURLToPath(new URL("../golden/fixtures/qwen2-5-omni/model", import.meta.url));
/** What is answered is not the matter here. */
const SHORT = { max_tokens: 1, n: 1, stream: false };

it(`${PICTURES + SOUNDS + BODIES} bad pictures, sounds and bodies: refused by what is wrong, the engine's process lives, no tensor stays`, async () => {
  const { pictures, sounds } = await goodFiles();
  // What is kept for later requests would count as left behind.
  const engine = new ProcessEngine(OMNI, { program: ENGINE_PROGRAM, prefixCacheBytes: 0, featureCacheBytes: 0 });
  const server = await serve({ engine, port: 0 });
  const agent = new Agent({ connections: AT_ONCE });
  const bodyOf = (number: number): Buffer => {
    const random = new Random(number);
    const ask = (part: object): Buffer => Buffer.from(JSON.stringify({ messages: [{ role: "user", content: [part, { type: "text", text: "x" }] }], ...SHORT }));
    if (number < PICTURES) {
      const { type, bytes } = pictures[number % pictures.length]!;
      return ask({ type: "image_url", image_url: { url: dataUri(random, type, damaged(random, bytes)) } });
    }
    if (number < PICTURES + SOUNDS) {
      const bytes = damaged(random, sounds[number % sounds.length]!);
      return ask({ type: "input_audio", input_audio: { format: "wav", data: random.chance(0.5) ? bytes.toString("base64") : dataUri(random, "audio/wav", bytes) } });
    }
    const text = badBody(random, { ...SEEDS[0]!.body, model: null, ...SHORT }).toString();
    return Buffer.from(text.replace(/"max_tokens":(?!1,)[^,{}[\]]*/, '"max_tokens":1'));
  };
  const complaints: string[] = [];
  const statuses = new Map<number, number>();
  const send = async (number: number): Promise<void> => {
    const path = "/v1/chat/completions";
    const answer = await request(`${server.url}${path}`, { dispatcher: agent, method: "POST", headers: { "content-type": "application/json" }, body: bodyOf(number) });
    const problem = complaint(path, answer.statusCode, String(answer.headers["content-type"]), await answer.body.text());
    if (problem) complaints.push(`${number}: ${problem}`);
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
  };
  // Once for each kind, so that what is made once is there.
  for (const number of [0, 2, 4, 6, PICTURES, PICTURES + SOUNDS]) await send(number);
  const { pid } = engine;
  const { liveTensors } = await engine.stats();
  let next = 0;
  const total = PICTURES + SOUNDS + BODIES;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < total) await send(next++);
    }),
  );
  expect(complaints).toEqual([]);
  expect(statuses.get(400)).toBeGreaterThan(total / 3);
  expect(statuses.get(200)).toBeGreaterThan(total / 20);
  expect(engine.pid).toBe(pid);
  expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({ status: "ok", requests: 0 });
  await until(async () => (await engine.stats()).liveTensors === liveTensors);
  await agent.close();
  await server.close();
});
