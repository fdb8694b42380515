import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadArchitecture } from "../../src/engine/models/registry.js";
import { loadEngine, logitsOf, promptOf } from "./support/engine.js";
import { readFloatTensors, writeFloatTensors, type FloatTensor } from "./support/float-tensors.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";

// The families with experts: the same weights in every layout that folders have, and configs that they do not cover.

/** The same products, some of them in one piece instead of two. */
const TOLERANCE = 1e-5;

type Tensors = Map<string, FloatTensor>;

/** `[E, R, C]` → `[E, C, R]` */
function swapped({ shape, data }: FloatTensor): FloatTensor {
  const [experts, rows, columns] = shape as [number, number, number];
  const out = new Float32Array(data.length);
  for (let e = 0; e < experts; e++) for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[(e * columns + c) * rows + r] = data[(e * rows + r) * columns + c]!;
  return { shape: [experts, columns, rows], data: out };
}

/** Rows [from, to) of each expert's matrix. */
function rowsOf({ shape, data }: FloatTensor, from: number, to: number): FloatTensor {
  const [experts, rows, columns] = shape as [number, number, number];
  const parts = Array.from({ length: experts }, (_, e) => [...data.subarray((e * rows + from) * columns, (e * rows + to) * columns)]);
  return { shape: [experts, to - from, columns], data: Float32Array.from(parts.flat()) };
}

/** One tensor a projection for all experts, gate and up apart: `mlp.switch_mlp.*`. */
function switched(tensors: Tensors, inputsFirst: boolean): Tensors {
  const out: Tensors = new Map();
  const singles = new Map<string, Map<number, FloatTensor>>();
  for (const [name, tensor] of tensors) {
    const fused = /^(.*\.mlp)\.experts\.(gate_up_proj|down_proj)$/.exec(name);
    const single = /^(.*\.mlp)\.experts\.(\d+)\.(\w+)\.weight$/.exec(name);
    if (single !== null) {
      const target = `${single[1]}.switch_mlp.${single[3]}.weight`;
      singles.set(target, (singles.get(target) ?? new Map<number, FloatTensor>()).set(Number(single[2]), tensor));
    } else if (fused === null) out.set(name, tensor);
    else {
      const matrices = inputsFirst ? swapped(tensor) : tensor;
      const half = matrices.shape[1]! / 2;
      if (fused[2] === "down_proj") out.set(`${fused[1]}.switch_mlp.down_proj.weight`, matrices);
      else ["gate_proj", "up_proj"].forEach((part, i) => out.set(`${fused[1]}.switch_mlp.${part}.weight`, rowsOf(matrices, i * half, (i + 1) * half)));
    }
  }
  for (const [name, byExpert] of singles) {
    const parts = Array.from({ length: byExpert.size }, (_, i) => byExpert.get(i)!);
    out.set(name, { shape: [parts.length, ...parts[0]!.shape], data: Float32Array.from(parts.flatMap(({ data }) => [...data])) });
  }
  return out;
}

/** Names of MLX's folders for models with pictures. */
function renamed(tensors: Tensors): Tensors {
  return new Map(Array.from(tensors, ([name, tensor]) => [name.replace(/^model\.language_model\./, "language_model.model.").replace(/^model\.visual\./, "vision_tower.").replace(/^lm_head\./, "language_model.lm_head."), tensor]));
}

/** Qwen3.5's norms have 1 added, and its convolutions' single input channel stands last. */
function shifted(tensors: Tensors): Tensors {
  const isNorm = /(input_layernorm|post_attention_layernorm|language_model\.norm|q_norm|k_norm)\.weight$/;
  return new Map(
    Array.from(tensors, ([name, { shape, data }]) => {
      if (isNorm.test(name)) return [name, { shape, data: data.map((x) => x + 1) }];
      return [name, name.endsWith("conv1d.weight") ? { shape: [shape[0]!, shape[2]!, 1], data } : { shape, data }];
    }),
  );
}

const LAYOUTS: { fixture: string; layout: string; change: (tensors: Tensors) => Tensors }[] = [
  { fixture: "qwen3-moe", layout: "MLX's", change: (tensors) => switched(tensors, false) },
  { fixture: "qwen3-vl-moe", layout: "MLX's", change: (tensors) => renamed(switched(tensors, true)) },
  { fixture: "qwen3-vl-moe", layout: "transformers 5's", change: (tensors) => new Map(Array.from(tensors, ([name, tensor]) => [name, name.includes(".experts.") ? swapped(tensor) : tensor])) },
  { fixture: "qwen3-5", layout: "MLX's", change: (tensors) => renamed(shifted(tensors)) },
  { fixture: "qwen3-5-moe", layout: "MLX's", change: (tensors) => renamed(switched(shifted(tensors), false)) },
  { fixture: "qwen3-5-moe", layout: "the published, with layers that guess ahead", change: (tensors) => new Map([...tensors, ["mtp.fc.weight", { shape: [1, 2], data: Float32Array.of(1, 2) }]]) },
];

describe("the same weights in another layout", () => {
  let dir: string;
  beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), "deskhand-layouts-"))));
  afterAll(() => rmSync(dir, { recursive: true }));

  it.each(LAYOUTS)("$fixture in $layout gives the same logits", async ({ fixture, layout, change }) => {
    const source = `${FIXTURES}${fixture}/model`;
    const target = join(dir, `${fixture}-${layout}`);
    cpSync(source, target, { recursive: true });
    writeFloatTensors(join(target, "model.safetensors"), change(readFloatTensors(join(source, "model.safetensors"))));
    const one = readGolden(fixture).cases.find(({ name }) => name === "two_pictures" || name === "long")!;
    const answers: number[][] = [];
    for (const folder of [source, target]) {
      const engine = await loadEngine(folder);
      using _ = engine.architecture;
      const prompt = await promptOf(engine, one);
      using logits = logitsOf(engine.architecture, prompt, Int32Array.of(0, prompt.tokenIds.length - 1));
      answers.push(logits.toArray());
    }
    expect(relativeError(answers[1]!, answers[0]!)).toBeLessThan(TOLERANCE);
  });
});

it("reads text without the tower, which mlx-lm leaves out", async () => {
  const dir = mkdtempSync(join(tmpdir(), "deskhand-text-"));
  try {
    const source = `${FIXTURES}qwen3-5-moe/model`;
    cpSync(source, dir, { recursive: true });
    const text = Array.from(readFloatTensors(join(source, "model.safetensors"))).filter(([name]) => !name.startsWith("model.visual."));
    writeFloatTensors(join(dir, "model.safetensors"), new Map(text));
    const engine = await loadEngine(dir);
    using architecture = engine.architecture;
    expect(architecture).toMatchObject({ encode: undefined, mediaTokenIds: [] });
    const golden = readGolden("qwen3-5-moe");
    const one = golden.cases.find(({ name }) => name === "text")!;
    using logits = logitsOf(architecture, { tokenIds: one.token_ids, media: [] }, golden.require("text.logit_positions").data as Int32Array<ArrayBuffer>);
    expect(relativeError(logits.toArray(), golden.require("text.logits").data)).toBeLessThan(1e-4);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

describe("a config that is not covered", () => {
  let dir: string;
  beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), "deskhand-configs-"))));
  afterAll(() => rmSync(dir, { recursive: true }));

  const CONFIGS: { fixture: string; change: Record<string, unknown>; inText?: boolean; names: RegExp }[] = [
    { fixture: "qwen3-moe", change: { hidden_act: "gelu" }, names: /hidden_act/ },
    { fixture: "qwen3-moe", change: { num_experts: undefined }, names: /num_experts/ },
    { fixture: "qwen3-vl-moe", change: { norm_topk_prob: false }, inText: true, names: /norm_topk_prob/ },
    { fixture: "qwen3-5", change: { intermediate_size: undefined }, inText: true, names: /intermediate_size/ },
    { fixture: "qwen3-5", change: { layer_types: ["linear_attention", "sliding_attention", "full_attention"] }, inText: true, names: /layer_types/ },
    { fixture: "qwen3-5", change: { layer_types: ["linear_attention"] }, inText: true, names: /layer_types/ },
    { fixture: "qwen3-5-moe", change: { num_experts_per_tok: 0 }, inText: true, names: /num_experts_per_tok/ },
    { fixture: "qwen3-5-moe", change: { num_experts_per_tok: 99 }, inText: true, names: /num_experts_per_tok/ },
    { fixture: "qwen3-moe", change: { num_experts_per_tok: 99 }, names: /num_experts_per_tok/ },
  ];

  it.each(CONFIGS)("$fixture with $change is refused by the field's name", async ({ fixture, change, inText, names }) => {
    const config = JSON.parse(readFileSync(`${FIXTURES}${fixture}/model/config.json`, "utf8")) as Record<string, unknown> & { text_config: object };
    const changed = inText ? { ...config, text_config: { ...config.text_config, ...change } } : { ...config, ...change };
    const target = mkdtempSync(join(dir, "model-"));
    cpSync(`${FIXTURES}${fixture}/model`, target, { recursive: true });
    writeFileSync(join(target, "config.json"), JSON.stringify(changed));
    await expect(loadArchitecture(target)).rejects.toMatchObject({ code: "unsupported_model", message: expect.stringMatching(names) as string });
  });
});
