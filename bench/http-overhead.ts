// What HTTP adds to an answer: the same request to this server and to an engine's process without a server, in turns.
import { ProcessEngine } from "../src/engine/host/process-engine.js";
import { median } from "./report.js";
import { ENDLESS, post } from "./server-requests.js";
import { ourServer } from "./servers.js";

const TEXT = "hi";
/** The first ones compile and fill what is done once, in three processes. */
const WARMING = 300;
const TIMES = 300;

/** Median of the differences in ms, for an answer of one token to a prompt that the cache holds, from the request to the end of the stream. */
export async function httpOverheadMs(model: string): Promise<number> {
  const engine = new ProcessEngine(model, { program: new URL("../dist/engine/host/main.js", import.meta.url) });
  await engine.start();
  const server = await ourServer(model);
  try {
    const differences: number[] = [];
    for (let time = 0; time < WARMING + TIMES; time++) {
      const direct = await timed(async () => {
        for await (const _ of engine.generate({ messages: [{ role: "user", content: TEXT }], maxTokens: 1, temperature: 0, logitBias: ENDLESS })) continue;
      });
      const overHttp = await timed(async () => (await post(server.url, { model: server.model, text: TEXT, maxTokens: 1 })).body.text());
      if (time >= WARMING) differences.push(overHttp - direct);
    }
    return median(differences);
  } finally {
    await server.stop();
    await engine.stop();
  }
}

async function timed(body: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await body();
  return performance.now() - start;
}
