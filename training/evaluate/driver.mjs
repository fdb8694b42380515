// Serves a model folder with our own engine and runs our own agent on displays that are there already.
// `node driver.mjs MODEL`; then one JSON object a line on stdin, one reply a line on stdout (training/toolkits/channel.py).
// Needs dist/ (npm run build).
import { createInterface } from "node:readline";
import { Agent } from "../../dist/agent/agent.js";
import { serve } from "../../dist/server/start.js";

const server = await serve({ model: process.argv[2], port: 0 });

const commands = {
  where: () => ({ url: server.url, model: server.modelId }),
  // Ends for every reason that a run may end for; the steps' summaries say how it went.
  async run({ display, task, maxSteps, maxSeconds, outDir }) {
    process.env.DISPLAY = display;
    const steps = [];
    const onEvent = (event) => {
      if (event.type !== "step_ended") return;
      const { summary, actions, notDone, error } = event.line;
      steps.push({ summary, actions: actions.map(({ action }) => action), notDone, error });
    };
    // Nobody is there to be asked: it is the model that is measured.
    const agent = new Agent({ baseURL: server.url, model: server.modelId, dialect: "tiny", display: "current", confirm: "never", maxSteps, maxSeconds, outDir, onEvent });
    const { success, stop, reason, answer, durationMs } = await agent.run(task);
    return { success, stop, reason, answer, durationMs, steps };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...options } = JSON.parse(line);
  let reply;
  try {
    reply = { ok: (await commands[name](options)) ?? null };
  } catch (error) {
    reply = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
await server.close();
