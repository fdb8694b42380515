// Two models, one that plans in words and one that finds places: npx tsx examples/planner-grounder.ts PLANNER PLANNER_URL GROUNDER GROUNDER_URL
// For example gpt-5 at https://api.openai.com/v1 (OPENAI_API_KEY) and UI-TARS-1.5-7B on a vLLM of your own.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { Agent, openComputer } from "deskhand";

const [planner, plannerURL, grounder, grounderURL] = process.argv.slice(2);

const desktop = await openComputer({ display: "virtual", widthPx: 1280, heightPx: 800 });
try {
  const box = spawn("zenity", ["--entry", "--title=Name", "--text=Name"], { env: desktop.env, stdio: ["ignore", "pipe", "ignore"] });
  const printed = text(box.stdout);
  while ((await desktop.computer.windows?.list())?.length === 0) await delay(100);
  const agent = new Agent({ planner, plannerURL, grounder, grounderURL, computer: desktop.computer, maxSteps: 10 });
  const result = await agent.run("set Name to Ada, then press OK");
  console.log(`${result.reason} See ${result.trajectoryDir}/index.html`);
  if (!result.success) box.kill();
  console.log(`zenity received: ${(await printed).trim()}`);
} finally {
  await desktop.close();
}
