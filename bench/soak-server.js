// The server of a soak, compiled as users run it: tells its parent what it and its engine hold, and how long its event loop was held up.
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { ProcessEngine } from "../dist/engine/host/process-engine.js";
import { serve } from "../dist/server/start.js";

// What is kept for later requests would count as left behind: caches have their own bounds, and tests.
const engine = new ProcessEngine(process.argv[2], { prefixCacheBytes: 0, featureCacheBytes: 0 });
const server = await serve({ engine, port: 0, limits: { maxStoredResponses: 8 } });
const delay = monitorEventLoopDelay({ resolution: 1 });

process.on("message", async (message) => {
  if (message === "close") {
    await server.close();
    process.disconnect();
    return;
  }
  if (message === "watch") delay.enable();
  globalThis.gc?.();
  const { rssBytes, liveTensors } = await engine.stats();
  process.send?.({
    serverRss: process.memoryUsage.rss(),
    serverHeap: process.memoryUsage().heapUsed,
    engineRss: rssBytes,
    liveTensors,
    enginePid: engine.pid,
    // The histogram counts from one turn of its own timer to the next, that millisecond included.
    delayMs: { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 },
  });
});
process.send?.({ url: server.url, id: server.modelId });
