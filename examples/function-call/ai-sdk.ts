// Lets the model call a function, with the Vercel AI SDK: npx tsx examples/function-call/ai-sdk.ts [SERVER] [CITY]
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, stepCountIs, tool } from "ai";
import { z } from "zod";

const [server = "http://127.0.0.1:8000", city = "Paris"] = process.argv.slice(2);

const deskhand = createOpenAICompatible({ name: "deskhand", baseURL: `${server}/v1`, apiKey: process.env["OPENAI_API_KEY"] });
const { text } = await generateText({
  model: deskhand("tiny"),
  prompt: `What is the weather in ${city}?`,
  tools: {
    get_weather: tool({
      description: "Get the current weather in a city",
      inputSchema: z.object({ city: z.string().describe("City name") }),
      execute: ({ city }) => {
        const weather = { city, temperature: 17, unit: "C", condition: "cloudy" };
        console.log(`get_weather ${JSON.stringify({ city })} returned ${JSON.stringify(weather)}`);
        return weather;
      },
    }),
  },
  stopWhen: stepCountIs(2),
  temperature: 0,
});
console.log(text);
