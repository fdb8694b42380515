import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { load, type Model } from "../../src/index.js";
import { liveTensors } from "../../src/engine/mlx/index.js";
import { EmbeddingList } from "../../src/server/schemas/embeddings.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { ENGINE_PROGRAM } from "../server/support.js";
import { FIXTURES } from "./support/golden.js";

interface Case {
  text: string;
  token_ids: number[];
  last_token: number[];
  last_token_16: number[];
  mean: number[];
  first_token: number[];
}

const FOLDER = `${FIXTURES}embeddings/model`;
let cases: Case[];
let scratch: string;

beforeAll(async () => {
  cases = (JSON.parse(await readFile(`${FIXTURES}embeddings/golden.json`, "utf8")) as { cases: Case[] }).cases;
  scratch = await mkdtemp(join(tmpdir(), "deskhand-embeddings-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** float32 keeps 7 digits, and two implementations add up in different orders: numbers of about 1 agree to 5. */
function expectClose(actual: Iterable<number> | undefined, expected: readonly number[]): void {
  const found = [...actual!];
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
}

/** The fixture with other words on how texts become vectors. */
async function variant(name: string, change: { pooling?: object; modules?: object[] | null }): Promise<string> {
  const dir = join(scratch, name);
  await cp(FOLDER, dir, { recursive: true });
  if (change.pooling !== undefined) await writeFile(join(dir, "1_Pooling/config.json"), JSON.stringify(change.pooling));
  if (change.modules === null) await rm(join(dir, "modules.json"));
  else if (change.modules !== undefined) await writeFile(join(dir, "modules.json"), JSON.stringify(change.modules));
  return dir;
}

const TRANSFORMER = { type: "sentence_transformers.models.Transformer", path: "" };
const POOLING = { type: "sentence_transformers.models.Pooling", path: "1_Pooling" };

async function vectorsOf(dir: string): Promise<Float32Array[]> {
  await using model = await load(dir);
  return (await model.embed(cases.map(({ text }) => text))).vectors;
}

describe("a model saved as sentence-transformers' are", () => {
  let model: Model;
  let before: number;
  beforeAll(async () => {
    before = liveTensors();
    model = await load(FOLDER);
  });
  afterAll(async () => {
    await model.dispose();
    expect(liveTensors()).toBe(before);
  });

  it("gives the vectors of transformers' hidden states, for texts and for token ids", async () => {
    const { vectors, promptTokens } = await model.embed(cases.map(({ text }) => text));
    expect(promptTokens).toBe(cases.reduce((sum, { token_ids }) => sum + token_ids.length, 0));
    vectors.forEach((vector, i) => expectClose(vector, cases[i]!.last_token));
    const { vectors: again } = await model.embed(cases.map(({ token_ids }) => token_ids));
    expect(again).toEqual(vectors);
  });

  it("gives fewer dimensions, of length 1 again", async () => {
    const { vectors } = await model.embed([cases[1]!.text], { dimensions: 16 });
    expectClose(vectors[0], cases[1]!.last_token_16);
    await expect(model.embed(["x"], { dimensions: 100_000 })).rejects.toMatchObject({ code: "invalid_argument", param: "dimensions" });
  });

  it("refuses what is too long, and ends when it is cancelled", async () => {
    await expect(model.embed([Array.from({ length: model.info.contextLength + 1 }, () => 1)])).rejects.toMatchObject({ code: "context_length_exceeded" });
    await expect(model.embed(["x"], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("pooling is what the folder says", () => {
  it("mean, not of length 1", async () => {
    const vectors = await vectorsOf(await variant("mean", { pooling: { pooling_mode_mean_tokens: true }, modules: [TRANSFORMER, POOLING] }));
    vectors.forEach((vector, i) => expectClose(vector, cases[i]!.mean));
  });

  it("the first token", async () => {
    const vectors = await vectorsOf(await variant("first", { pooling: { pooling_mode_cls_token: true }, modules: [TRANSFORMER, POOLING] }));
    vectors.forEach((vector, i) => expectClose(vector, cases[i]!.first_token));
  });

  it("without a word: the mean, of length 1", async () => {
    const vectors = await vectorsOf(await variant("plain", { modules: null }));
    vectors.forEach((vector, i) => {
      const length = Math.hypot(...cases[i]!.mean);
      expectClose(vector, cases[i]!.mean.map((value) => value / length));
    });
  });

  it.each([
    ["dense", { modules: [TRANSFORMER, POOLING, { type: "sentence_transformers.models.Dense", path: "2_Dense" }] }, /Dense/],
    ["two", { pooling: { pooling_mode_mean_tokens: true, pooling_mode_lasttoken: true } }, /one pooling mode .* received 2/],
    ["max", { pooling: { pooling_mode_max_tokens: true } }, /pooling_mode_max_tokens/],
  ])("what is not computed is refused: %s", async (name, change, message) => {
    await expect(vectorsOf(await variant(name, change))).rejects.toMatchObject({ code: "unsupported_model", message: expect.stringMatching(message) as string });
  });
});

describe("POST /v1/embeddings, by the official client", () => {
  let server: RunningServer;
  let client: OpenAI;
  beforeAll(async () => {
    server = await serve({ engine: new ProcessEngine(FOLDER, { program: ENGINE_PROGRAM }), model: "embedder", port: 0 });
    client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  });
  afterAll(() => server.close());

  it.each(["float", "base64", undefined] as const)("as %s", async (encoding) => {
    const answer = await client.embeddings.create({ model: "embedder", input: cases.slice(0, 3).map(({ text }) => text), ...(encoding && { encoding_format: encoding }) });
    expect(answer.usage.prompt_tokens).toBe(cases.slice(0, 3).reduce((sum, { token_ids }) => sum + token_ids.length, 0));
    for (const [i, { index, embedding }] of answer.data.entries()) {
      expect(index).toBe(i);
      const vector: unknown = embedding;
      expectClose(typeof vector === "string" ? new Float32Array(Uint8Array.from(Buffer.from(vector, "base64")).buffer) : embedding, cases[i]!.last_token);
    }
  });

  it("of one text, of its token ids, of several, and cut short", async () => {
    const { text, token_ids: ids, last_token: whole, last_token_16: short } = cases[1]!;
    for (const input of [text, ids, [text], [ids]]) expectClose((await client.embeddings.create({ model: "embedder", input })).data[0]?.embedding, whole);
    expectClose((await client.embeddings.create({ model: "embedder", input: text, dimensions: 16 })).data[0]?.embedding, short);
  });

  it("in the form that the schema describes", async () => {
    const answer = await fetch(`${server.url}/v1/embeddings`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ input: "x" }) });
    expect(EmbeddingList.parse(await answer.json()).data).toHaveLength(1);
  });

  it.each([
    ["", "input"],
    [[], "input"],
    [[""], "input[0]"],
    [[1.5], "input[0]"],
    [[[]], "input[0]"],
    [{ text: "x" }, "input"],
    [[99_999_999], "input"],
  ])("refuses %j", async (input, param) => {
    const error = await client.embeddings.create({ model: "embedder", input: input as string }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 400, param });
  });
});
