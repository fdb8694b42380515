// Lets the model call a function, with LangChain: npx tsx examples/function-call/langchain.ts [SERVER] [CITY]
import { HumanMessage, type BaseMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

const [server = "http://127.0.0.1:8000", city = "Paris"] = process.argv.slice(2);

const getWeather = tool(({ city }: { city: string }) => JSON.stringify({ city, temperature: 17, unit: "C", condition: "cloudy" }), {
  name: "get_weather",
  description: "Get the current weather in a city",
  schema: z.object({ city: z.string().describe("City name") }),
});

const model = new ChatOpenAI({ model: "tiny", apiKey: process.env["OPENAI_API_KEY"] ?? "none", configuration: { baseURL: `${server}/v1` }, temperature: 0 }).bindTools([getWeather]);
const messages: BaseMessage[] = [new HumanMessage(`What is the weather in ${city}?`)];

const first = await model.invoke(messages);
messages.push(first);
for (const call of first.tool_calls ?? []) {
  const result = await getWeather.invoke({ ...call, type: "tool_call" });
  console.log(`${call.name} ${JSON.stringify(call.args)} returned ${result.text}`);
  messages.push(result);
}
console.log((await model.invoke(messages)).text);
