// Lets the model call a function, with the openai package: npx tsx examples/function-call/openai.ts [SERVER] [CITY]
import OpenAI from "openai";
import type { ChatCompletionMessageParam, ChatCompletionTool } from "openai/resources/chat/completions";

const [server = "http://127.0.0.1:8000", city = "Paris"] = process.argv.slice(2);

const getWeather = ({ city }: { city: string }) => ({ city, temperature: 17, unit: "C", condition: "cloudy" });
const tools: ChatCompletionTool[] = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "Get the current weather in a city",
      parameters: { type: "object", properties: { city: { type: "string", description: "City name" } }, required: ["city"] },
    },
  },
];

const client = new OpenAI({ baseURL: `${server}/v1`, apiKey: process.env["OPENAI_API_KEY"] ?? "none" });
const messages: ChatCompletionMessageParam[] = [{ role: "user", content: `What is the weather in ${city}?` }];
const ask = async () => {
  const { choices } = await client.chat.completions.create({ model: "tiny", messages, tools, temperature: 0 });
  const message = choices[0]!.message;
  messages.push(message);
  return message;
};

const { tool_calls: calls = [] } = await ask();
for (const call of calls) {
  if (call.type !== "function") continue;
  const result = JSON.stringify(getWeather(JSON.parse(call.function.arguments) as { city: string }));
  console.log(`${call.function.name} ${call.function.arguments} returned ${result}`);
  messages.push({ role: "tool", tool_call_id: call.id, content: result });
}
console.log((await ask()).content);
