// A function of the program beside mouse and keyboard: npx tsx examples/custom-tool.ts [BASE_URL]
// It needs a model that can call functions: Qwen3-VL here, on a server that is running or, without an address, on one of its own.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { Agent, defineTool, openComputer } from "deskhand";
import { z } from "zod";

const PRICES: Record<string, string> = { "A-17": "19.90", "B-4": "7.50" };

const findPrice = defineTool({
  name: "find_price",
  description: "The price of an article in the shop's own list, by its number.",
  parameters: z.object({ article: z.string().describe("The article's number, e.g. A-17.") }),
  // It only looks something up; what is "risky" is asked of a person first.
  risk: "harmless",
  execute: ({ article }) => PRICES[article] ?? `There is no article ${article}.`,
});

const [baseURL] = process.argv.slice(2);
const desktop = await openComputer({ display: "virtual", widthPx: 1280, heightPx: 800 });
try {
  const box = spawn("zenity", ["--entry", "--title=Invoice", "--text=Price of article A-17"], { env: desktop.env, stdio: ["ignore", "pipe", "ignore"] });
  const printed = text(box.stdout);
  while ((await desktop.computer.windows?.list())?.length === 0) await delay(100);
  const agent = new Agent({ model: "qwen", baseURL, computer: desktop.computer, tools: [findPrice], maxSteps: 10 });
  const result = await agent.run("Look up the price of article A-17, enter it in the field, then press OK");
  console.log(`${result.reason} See ${result.trajectoryDir}/index.html`);
  if (!result.success) box.kill();
  console.log(`zenity received: ${(await printed).trim()}`);
} finally {
  await desktop.close();
}
