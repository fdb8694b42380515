// Hears WAVE files with our own engine: `node speech-driver.mjs MODEL`; then one JSON object a line on stdin, one reply a line on stdout (training/toolkits/channel.py).
// Needs dist/ (npm run build).
import { createInterface } from "node:readline";
import { loadTranscriber } from "../../dist/index.js";

const transcriber = await loadTranscriber(process.argv[2]);
for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = { ok: (await transcriber.transcribe(JSON.parse(line).path, { seed: 1 })).text };
  } catch (error) {
    reply = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
await transcriber.dispose();
