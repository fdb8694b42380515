import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SimpleEngine } from "../../src/engine/simple-engine.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { FIXTURES, readGolden } from "./support/golden.js";

/** Log probabilities that the server tells, against those that follow from the reference's logits. */
const golden = readGolden("qwen3");
const [first] = golden.cases;
const { token_ids: prompt, messages, name } = first!;
const logits = golden.require(`${name}.logits`);
const positions = golden.require(`${name}.logit_positions`).data;

let server: RunningServer;
let client: OpenAI;

beforeAll(async () => {
  server = await serve({ engine: new SimpleEngine(`${FIXTURES}qwen3/model`), port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(() => server.close());

/** The largest log probabilities after so many tokens of the prompt, largest first. */
function expected(length: number, count: number): number[] {
  const width = logits.shape[1]!;
  const row = [...logits.data.slice(positions.indexOf(length - 1) * width, (positions.indexOf(length - 1) + 1) * width)];
  const total = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return row.map((logit) => logit - total).sort((a, b) => b - a).slice(0, count); // prettier-ignore
}

/** Logits of this fixture differ from the reference's by a few millionths (logit-errors.json): to four digits nothing of it is left. */
const DIGITS = 4;

it("of plain completions are the reference's, whole and streamed", async () => {
  for (const length of positions) {
    // Without the penalty that greedy answers have here, which decides what is drawn but not what is told.
    const request = { model: "model", prompt: prompt.slice(0, length + 1), max_tokens: 1, temperature: 0, logprobs: 5, ...{ repetition_penalty: 1 } };
    const { choices } = await client.completions.create(request);
    const told = choices[0]?.logprobs;
    const top = Object.values(told?.top_logprobs?.[0] ?? {}).sort((a, b) => b - a);
    const reference = expected(length + 1, 5);
    expect(top).toHaveLength(5);
    top.forEach((logprob, i) => expect(logprob).toBeCloseTo(reference[i]!, DIGITS));
    // The token that was drawn is the likeliest.
    expect(told?.token_logprobs?.[0]).toBe(top[0]);
    expect(told?.top_logprobs?.[0]?.[told.tokens?.[0] ?? ""]).toBe(top[0]);
    expect(told?.text_offset).toEqual([0]);
    const chunks = [];
    for await (const chunk of await client.completions.create({ ...request, stream: true })) if (chunk.choices[0]?.logprobs?.tokens?.length) chunks.push(chunk.choices[0].logprobs);
    expect(chunks).toEqual([told]);
  }
});

it("of chat completions are the same", async () => {
  const { choices } = await client.chat.completions.create({ model: "model", messages: messages as OpenAI.ChatCompletionMessageParam[], max_tokens: 1, temperature: 0, logprobs: true, top_logprobs: 8 });
  const reference = expected(prompt.length, 8);
  choices[0]?.logprobs?.content?.[0]?.top_logprobs.forEach(({ logprob }, i) => expect(logprob).toBeCloseTo(reference[i]!, DIGITS));
  expect(choices[0]?.logprobs?.content?.[0]?.top_logprobs).toHaveLength(8);
});
