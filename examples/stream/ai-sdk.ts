// Streams an answer about a picture with the Vercel AI SDK: npx tsx examples/stream/ai-sdk.ts [SERVER] [PICTURE] [QUESTION]
import { readFile } from "node:fs/promises";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";

const [server = "http://127.0.0.1:8000", picture = "test/golden/fixtures/embedded/screens/zenity-filled.png", question = "What is in the field Email?"] = process.argv.slice(2);

const deskhand = createOpenAICompatible({ name: "deskhand", baseURL: `${server}/v1`, apiKey: process.env["OPENAI_API_KEY"], includeUsage: true });
const { textStream, usage } = streamText({
  model: deskhand("tiny"),
  messages: [{ role: "user", content: [{ type: "image", image: await readFile(picture) }, { type: "text", text: question }] }],
  temperature: 0,
  onError: ({ error }) => {
    throw error;
  },
});
for await (const text of textStream) process.stdout.write(text);
const { inputTokens, outputTokens } = await usage;
console.log(`\n${inputTokens} tokens in, ${outputTokens} out`);
