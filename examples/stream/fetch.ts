// Streams an answer about a picture with nothing but fetch: npx tsx examples/stream/fetch.ts [SERVER] [PICTURE] [QUESTION]
import { readFile } from "node:fs/promises";

const [server = "http://127.0.0.1:8000", picture = "test/golden/fixtures/embedded/screens/zenity-filled.png", question = "What is in the field Email?"] = process.argv.slice(2);
const url = `data:image/png;base64,${await readFile(picture, "base64")}`;

const response = await fetch(`${server}/v1/chat/completions`, {
  method: "POST",
  headers: { "content-type": "application/json", authorization: `Bearer ${process.env["OPENAI_API_KEY"] ?? "none"}` },
  body: JSON.stringify({
    model: "tiny",
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }, { type: "text", text: question }] }],
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  }),
});
if (!response.ok || !response.body) throw new Error(`The server answered ${response.status}: ${await response.text()}`);

interface Chunk {
  choices: { delta: { content?: string } }[];
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
  error?: { message: string };
}

// The network may cut an event, or a character, anywhere.
let rest = "";
for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
  const events = (rest + text).split("\n\n");
  rest = events.pop() ?? "";
  for (const event of events) {
    const data = event.replace(/^data: /, "");
    if (data === "[DONE]") break;
    const { choices, usage, error } = JSON.parse(data) as Chunk;
    if (error) throw new Error(error.message);
    process.stdout.write(choices[0]?.delta.content ?? "");
    if (usage) console.log(`\n${usage.prompt_tokens} tokens in, ${usage.completion_tokens} out`);
  }
}
