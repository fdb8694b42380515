// Lets the model call a function, with nothing but fetch: npx tsx examples/function-call/fetch.ts [SERVER] [CITY]
const [server = "http://127.0.0.1:8000", city = "Paris"] = process.argv.slice(2);

const getWeather = ({ city }: { city: string }) => ({ city, temperature: 17, unit: "C", condition: "cloudy" });
const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "Get the current weather in a city",
      parameters: { type: "object", properties: { city: { type: "string", description: "City name" } }, required: ["city"] },
    },
  },
];

interface Message {
  role: string;
  content: string | null;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[];
}

const messages: object[] = [{ role: "user", content: `What is the weather in ${city}?` }];
async function ask(): Promise<Message> {
  const response = await fetch(`${server}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${process.env["OPENAI_API_KEY"] ?? "none"}` },
    body: JSON.stringify({ model: "tiny", messages, tools, temperature: 0 }),
  });
  if (!response.ok) throw new Error(`The server answered ${response.status}: ${await response.text()}`);
  const { choices } = (await response.json()) as { choices: { message: Message }[] };
  messages.push(choices[0]!.message);
  return choices[0]!.message;
}

for (const call of (await ask()).tool_calls ?? []) {
  const result = JSON.stringify(getWeather(JSON.parse(call.function.arguments) as { city: string }));
  console.log(`${call.function.name} ${call.function.arguments} returned ${result}`);
  messages.push({ role: "tool", tool_call_id: call.id, content: result });
}
console.log((await ask()).content);
