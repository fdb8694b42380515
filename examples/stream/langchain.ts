// Streams an answer about a picture with LangChain: npx tsx examples/stream/langchain.ts [SERVER] [PICTURE] [QUESTION]
import { readFile } from "node:fs/promises";
import { HumanMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";

const [server = "http://127.0.0.1:8000", picture = "test/golden/fixtures/embedded/screens/zenity-filled.png", question = "What is in the field Email?"] = process.argv.slice(2);
const url = `data:image/png;base64,${await readFile(picture, "base64")}`;

const model = new ChatOpenAI({ model: "tiny", apiKey: process.env["OPENAI_API_KEY"] ?? "none", configuration: { baseURL: `${server}/v1` }, temperature: 0 });
const stream = await model.stream([new HumanMessage({ content: [{ type: "image_url", image_url: { url } }, { type: "text", text: question }] })]);
for await (const { text, usage_metadata: usage } of stream) {
  process.stdout.write(text);
  if (usage) console.log(`\n${usage.input_tokens} tokens in, ${usage.output_tokens} out`);
}
