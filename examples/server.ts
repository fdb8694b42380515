// Serves the embedded model in this process and asks it through the openai client: npx tsx examples/server.ts [PICTURE]
import { readFile } from "node:fs/promises";
import OpenAI from "openai";
import { serve } from "deskhand";

const [picture = "test/golden/fixtures/embedded/screens/zenity-filled.png"] = process.argv.slice(2);
const url = `data:image/png;base64,${await readFile(picture, "base64")}`;

await using server = await serve({ model: "tiny", port: 0 });
const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });

const stream = await client.chat.completions.create({
  model: server.modelId,
  messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }, { type: "text", text: "Click the OK button" }] }],
  stream: true,
  stream_options: { include_usage: true },
});
for await (const { choices, usage } of stream) {
  process.stdout.write(choices[0]?.delta.content ?? "");
  if (usage) console.log(`\n${usage.prompt_tokens} tokens in, ${usage.completion_tokens} out`);
}
