/** A run that kills its own process, without any warning, during its third step. Arguments: model server's URL, trajectory folder. */
import { Agent } from "../../../src/agent/agent.js";
import { MemoryComputer } from "../../../src/agent/computer/memory.js";

const [baseURL, outDir] = process.argv.slice(2);
const computer = new MemoryComputer({
  widthPx: 640,
  heightPx: 480,
  onEvent: (_event, { events }) => {
    if (events.filter(({ type }) => type === "click").length === 3) process.kill(process.pid, "SIGKILL");
  },
});
await new Agent({ baseURL, outDir, model: "tiny", computer }).run("go");
