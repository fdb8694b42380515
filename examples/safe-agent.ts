// An agent that may use one window only, and asks before it does harm: npx tsx examples/safe-agent.ts
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Agent, openComputer, type Approver } from "deskhand";

/** Answers for a person: refuses everything that is risky, and says why it was asked. */
const approver: Approver = {
  approve: async ({ description, risks }) => {
    console.log(`refused: ${description}, because it ${risks.map(({ why }) => why).join(", and it ")}`);
    return { kind: "refuse", reason: "not today" };
  },
  ask: async () => undefined,
};

const desktop = await openComputer({ display: "virtual" });
try {
  const box = spawn("zenity", ["--entry", "--title=Name", "--text=Name"], { env: desktop.env, stdio: ["ignore", "pipe", "ignore"] });
  const printed = text(box.stdout);
  const agent = new Agent({ model: "tiny", computer: desktop.computer, maxSteps: 10, capabilities: fileURLToPath(new URL("safe.yaml", import.meta.url)), approver });
  const result = await agent.run("set Name to Ada, then press OK");
  console.log(`${result.reason} See ${result.trajectoryDir}/index.html`);
  if (!result.success) box.kill();
  console.log(`zenity received: ${(await printed).trim()}`);
} finally {
  await desktop.close();
}
