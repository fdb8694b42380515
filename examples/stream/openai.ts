// Streams an answer about a picture with the openai package: npx tsx examples/stream/openai.ts [SERVER] [PICTURE] [QUESTION]
import { readFile } from "node:fs/promises";
import OpenAI from "openai";

const [server = "http://127.0.0.1:8000", picture = "test/golden/fixtures/embedded/screens/zenity-filled.png", question = "What is in the field Email?"] = process.argv.slice(2);
const url = `data:image/png;base64,${await readFile(picture, "base64")}`;

const client = new OpenAI({ baseURL: `${server}/v1`, apiKey: process.env["OPENAI_API_KEY"] ?? "none" });
const stream = await client.chat.completions.create({
  model: "tiny",
  messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }, { type: "text", text: question }] }],
  temperature: 0,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const { choices, usage } of stream) {
  process.stdout.write(choices[0]?.delta.content ?? "");
  if (usage) console.log(`\n${usage.prompt_tokens} tokens in, ${usage.completion_tokens} out`);
}
