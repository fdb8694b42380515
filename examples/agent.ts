// Lets the embedded model answer a question box on a virtual display: npx tsx examples/agent.ts
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { Agent, openComputer } from "deskhand";

const desktop = await openComputer({ display: "virtual" });
try {
  const box = spawn("zenity", ["--entry", "--title=Name", "--text=Name"], { env: desktop.env, stdio: ["ignore", "pipe", "ignore"] });
  const printed = text(box.stdout);
  const agent = new Agent({ model: "tiny", computer: desktop.computer, maxSteps: 10, onEvent: (event) => event.type === "step_ended" && console.log(`${event.line.step}. ${event.line.summary ?? "?"}`) });
  const result = await agent.run("set Name to Ada, then press OK");
  console.log(`${result.reason} See ${result.trajectoryDir}/index.html`);
  if (!result.success) box.kill();
  console.log(`zenity received: ${(await printed).trim()}`);
} finally {
  await desktop.close();
}
