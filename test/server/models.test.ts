import { describe, expect, it } from "vitest";
import { ScriptedEngine } from "../../src/engine/scripted-engine.js";
import type { KnownModel } from "../../src/server/model-list.js";
import { Model, ModelList } from "../../src/server/schemas/models.js";
import { HELLO, poolOf, scriptedApp } from "./support.js";

const KNOWN: KnownModel[] = [
  { id: "tiny", aliases: [], isCached: true, modelType: "qwen3_vl", sizeBytes: 54_000_000 },
  { id: "org/Big-4bit", aliases: ["big"], isCached: true, modelType: "qwen3_vl", sizeBytes: 3e9, quantization: "4-bit" },
  { id: "org/Far-4bit", aliases: ["far"], isCached: false },
];

async function serverOf(id: string) {
  const engine = new ScriptedEngine(() => "ok", { info: { id, modelType: "qwen3_vl", contextLength: 4096, vision: true } });
  const models = poolOf(engine, {}, { names: KNOWN.find((model) => model.id === id)?.aliases });
  return scriptedApp([], { models, listModels: () => Promise.resolve(KNOWN) });
}

describe("GET /v1/models", () => {
  it("lists the loaded model first and once, then the cached and the available ones", async () => {
    await using server = await serverOf("org/Big-4bit");
    const { data } = ModelList.parse((await server.app.inject("/v1/models")).json());
    expect(data).toMatchObject([
      { id: "org/Big-4bit", owned_by: "org", state: "loaded", loadable: true, tasks: ["generate"], aliases: ["Big-4bit", "big"], context_length: 4096, vision: true, quantization: "4-bit" },
      { id: "tiny", owned_by: "deskhand", state: "cached", loadable: false, model_type: "qwen3_vl", size_bytes: 54_000_000 },
      { id: "org/Far-4bit", state: "available", aliases: ["far"] },
    ]);
    expect(data).toHaveLength(3);
  });

  it("a chat may call the loaded model by each listed name", async () => {
    await using server = await serverOf("org/Big-4bit");
    for (const model of ["org/Big-4bit", "Big-4bit", "big"]) expect((await server.answer({ ...HELLO, model })).model).toBe("org/Big-4bit");
    expect((await server.refusal({ ...HELLO, model: "tiny" })).status).toBe(404);
  });

  it("gives one by id, with the slash as it is or escaped, or by alias", async () => {
    await using server = await serverOf("tiny");
    for (const path of ["org/Far-4bit", "org%2FFar-4bit", "far"]) {
      const response = await server.app.inject(`/v1/models/${path}`);
      expect(Model.parse(response.json()).id).toBe("org/Far-4bit");
    }
    expect((await server.app.inject("/v1/models/org/none")).statusCode).toBe(404);
  });
});
