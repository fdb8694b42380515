import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming, ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { z } from "zod";
import { DeskhandError } from "../core/errors.js";
import { WEATHER_FUNCTION, type FunctionCall, type WeatherFormat } from "./weather-formats.js";

/** One of the five steps, done. */
export interface RoundTripStep {
  step: number;
  title: string;
  detail: string;
}

export interface RoundTripOptions {
  /** Sends one request to the server. */
  send: (body: ChatCompletionCreateParamsNonStreaming) => Promise<ChatCompletion>;
  model: string;
  format: WeatherFormat;
  city: string;
  maxTokens: number;
  onStep: (step: RoundTripStep) => void;
}

const Arguments = z.strictObject({ city: z.string().min(1) });

/** The local function: the same weather every day, which no model can know by itself. */
function getWeather(_arguments: z.infer<typeof Arguments>) {
  return { temperature: 17, unit: "C", condition: "cloudy" };
}

/**
 * Asks for the weather, lets the model call the function, runs it, sends the result back and has the answer.
 * @throws DeskhandError `model_output` naming the step that failed, what was expected and what came; whatever the client throws.
 */
export async function weatherRoundTrip({ send, model, format, city, maxTokens, onStep }: RoundTripOptions): Promise<void> {
  const ask = (messages: ChatCompletionMessageParam[]) => send({ model, messages, temperature: 0, max_tokens: maxTokens, ...format.definition });

  const text = `What is the weather in ${city}?`;
  const question: ChatCompletionMessageParam = { role: "user", content: text };
  onStep({ step: 1, title: "question", detail: `${text} The model may call ${WEATHER_FUNCTION.name}.` });

  const first = choiceOf(2, await ask([question]));
  const call = onlyCall(format, first);
  const wanted = checkArguments(call, city);
  onStep({ step: 2, title: "call", detail: `${call.name} ${call.arguments}` });

  const weather = getWeather(wanted);
  const result = JSON.stringify(weather);
  onStep({ step: 3, title: "function", detail: `${call.name} returned ${result}` });

  const back = format.backTo(first.message, call, result);
  const second = choiceOf(4, await ask([question, ...back]));
  onStep({ step: 4, title: "result", detail: `sent back as a message of role ${back.at(-1)?.role}` });

  const answer = second.message.content ?? "";
  if (format.callsOf(second.message).length > 0) throw failure(5, "an answer in words", `another call: ${shown(second)}`);
  if (!answer.includes(String(weather.temperature))) throw failure(5, `an answer that tells the temperature, ${weather.temperature}`, JSON.stringify(answer));
  onStep({ step: 5, title: "answer", detail: answer });
}

type Choice = ChatCompletion.Choice;

function choiceOf(step: number, completion: ChatCompletion): Choice {
  const [choice] = completion.choices;
  if (!choice) throw failure(step, "an answer with one choice", "an answer without choices");
  return choice;
}

function onlyCall(format: WeatherFormat, choice: Choice): FunctionCall {
  const [call, ...more] = format.callsOf(choice.message);
  const expected = `one call of ${WEATHER_FUNCTION.name} and finish_reason ${format.finishReason}`;
  if (!call || more.length > 0 || call.name !== WEATHER_FUNCTION.name || choice.finish_reason !== format.finishReason) throw failure(2, expected, shown(choice));
  return call;
}

function checkArguments(call: FunctionCall, city: string): z.infer<typeof Arguments> {
  const expected = `the arguments {"city": ${JSON.stringify(city)}}`;
  let value: unknown;
  try {
    value = JSON.parse(call.arguments);
  } catch {
    throw failure(2, expected, `what is not JSON: ${call.arguments}`);
  }
  const { data } = Arguments.safeParse(value);
  if (!data?.city.toLowerCase().includes(city.toLowerCase())) throw failure(2, expected, call.arguments);
  return data;
}

function failure(step: number, expected: string, received: string): DeskhandError {
  return new DeskhandError("model_output", `Step ${step} failed: expected ${expected}, but received ${received}. Try a model that was trained to call functions.`);
}

function shown({ message, finish_reason }: Choice): string {
  return JSON.stringify({ ...message, finish_reason });
}
