import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isDeskhandError } from "../../src/core/errors.js";
import { loadEngine, logitsOf, promptOf, type Engine } from "./support/engine.js";
import { modelFixtures } from "./support/figures.js";
import { FIXTURES, readGolden, relativeError, type GoldenCase } from "./support/golden.js";
import { ModelCopy, type StoredTensor } from "./support/model-copy.js";

// A config.json that asks for something a family does not compute is refused by the field's name, and so are weights that are not what
// it says. Every field that the reference's configuration class knows is set to something else: then the model is refused, or answers
// otherwise; fields that change nothing are listed with their reason.

type Json = Record<string, unknown>;

const { types, parts } = JSON.parse(readFileSync(`${FIXTURES}config-fields/fields.json`, "utf8")) as { types: Record<string, Json>; parts: Record<string, Record<string, string>> };

/** Fields of the reference's classes that do not change what a model answers. */
const NO_EFFECT: Readonly<Record<string, string>> = {
  attention_dropout: "training",
  resid_pdrop: "training",
  embd_pdrop: "training",
  initializer_range: "training",
  initializer_factor: "training",
  output_router_logits: "training",
  router_aux_loss_coef: "training",
  use_cache: "how answers are computed, not which",
  pretraining_tp: "transformers 5 does not read it",
  bos_token_id: "the tokenizer's",
  eos_token_id: "generation_config.json's",
  pad_token_id: "no padding is computed",
  boi_token_index: "the prompt's, which the tokenizer writes",
  eoi_token_index: "the prompt's, which the tokenizer writes",
  vision_start_token_id: "the prompt's, which the template writes",
  vision_end_token_id: "the prompt's, which the template writes",
  video_token_id: "videos'",
  tokens_per_second: "videos'",
  image_seq_length: "follows from the tower",
  projection_dim: "of a projection after the tower, which is not looked at",
  vision_use_head: "of a head after the tower, which is not looked at",
  max_position_embeddings: "the longest prompt, and what some ropes are scaled by",
};

/** The same, of one part of some families. */
const NO_EFFECT_IN: Readonly<Record<string, string>> = {
  "text_config.tie_word_embeddings": "the model's own goes before it",
  "pixtral.image_size": "how many angles the reference has ready",
  "qwen2.sliding_window": "without use_sliding_window",
  "qwen2.max_window_layers": "without use_sliding_window",
  "qwen2_vl_text.sliding_window": "without use_sliding_window",
  "qwen2_vl_text.max_window_layers": "without use_sliding_window",
  "qwen2_5_vl_text.sliding_window": "without use_sliding_window",
  "qwen2_5_vl_text.max_window_layers": "without use_sliding_window",
  "qwen3.sliding_window": "without use_sliding_window",
  "qwen3.max_window_layers": "without use_sliding_window",
  "qwen3_moe.sliding_window": "without use_sliding_window",
  "qwen3_vl_moe_text.intermediate_size": "of layers without experts, of which this model has none",
};

/** Values for fields whose usual one does not say what another could be. */
const OTHER: Readonly<Record<string, unknown>> = {
  rope_parameters: { rope_type: "bogus", rope_theta: 10_000 },
  layer_types: ["bogus"],
  sliding_window: 5,
  use_sliding_window: true,
  head_dim: 20,
  num_key_value_heads: 1,
  mlp_only_layers: [0],
  final_logit_softcapping: 3,
  attn_logit_softcapping: 3,
  original_max_position_embeddings: 7,
  rms_norm_eps: 0.5,
  layer_norm_eps: 0.5,
};

function otherThan(field: string, value: unknown): unknown {
  if (field in OTHER) return OTHER[field];
  switch (typeof value) {
    case "number":
      return field.endsWith("_id") || field.endsWith("_index") ? value + 1 : value * 2;
    case "boolean":
      return !value;
    case "string":
      return "bogus";
    default:
      if (Array.isArray(value)) return value.length === 0 ? [0] : value.map((entry: unknown) => (typeof entry === "number" ? entry + 1 : otherThan(field, entry)));
      throw new Error(`name another value for ${field}, which is ${JSON.stringify(value)}`);
  }
}

/** One plain folder a family: what is quantised binds other weights, but reads the same fields. */
const FAMILIES = modelFixtures().filter(({ name, modelType }, index, all) => name !== "embedded" && modelType in types && all.findIndex((one) => one.modelType === modelType && one.name !== "embedded") === index);

describe.each(FAMILIES)("$name", ({ name, dir, modelType }) => {
  const golden = readGolden(name);
  const config = JSON.parse(readFileSync(`${dir}/config.json`, "utf8")) as Json;
  const picture = golden.cases.find((one) => one.name === "one_picture");
  const cases = [golden.cases.find((one) => one.name === "long"), picture, golden.cases.find((one) => one.name === "text")].filter((one) => one !== undefined);
  let copy: ModelCopy;
  let expected: number[];

  const answer = async (engine: Engine, one: GoldenCase): Promise<number[]> => {
    const prompt = await promptOf(engine, one);
    using logits = logitsOf(engine.architecture, prompt, Int32Array.of(Math.floor(prompt.tokenIds.length / 2), prompt.tokenIds.length - 1));
    return logits.toArray();
  };
  const answers = async (folder: string): Promise<number[]> => {
    const engine = await loadEngine(folder);
    using _ = engine.architecture;
    return (await Promise.all(cases.map((one) => answer(engine, one)))).flat();
  };
  /** What the folder's refusal says; `undefined` when it loads. */
  const refusal = async (): Promise<string | undefined> => {
    try {
      (await loadEngine(copy.dir)).architecture[Symbol.dispose]();
      return undefined;
    } catch (error) {
      if (!isDeskhandError(error)) throw error;
      expect(["unsupported_model", "invalid_model"]).toContain(error.code);
      return error.message;
    }
  };

  beforeEach(() => copy.restore());

  beforeAll(async () => {
    copy = new ModelCopy(dir);
    expected = await answers(dir);
  });

  afterAll(() => copy[Symbol.dispose]());

  const typeOf = (part: string): string => {
    const own = part === "" ? modelType : ((config[part] as Json | undefined)?.["model_type"] as string | undefined);
    // Folders of the hub give towers the whole model's type.
    return own !== undefined && (part === "" || own !== modelType) && own in types ? own : parts[modelType]![part]!;
  };
  const fields = ["", ...Object.keys(parts[modelType] ?? {})].flatMap((part) =>
    Object.keys(types[typeOf(part)]!)
      .filter((field) => !(field in NO_EFFECT) && !(`${part}.${field}` in NO_EFFECT_IN) && !(`${typeOf(part)}.${field}` in NO_EFFECT_IN))
      .map((field) => [part, field] as const),
  );
  const partOf = (part: string): Json => (part === "" ? config : ((config[part] as Json | undefined) ?? config));
  const write = (part: string, own: Json): void => copy.writeConfig(partOf(part) === config ? { ...config, ...own } : { ...config, [part]: { ...partOf(part), ...own } });

  it.each(fields)("%s.%s changes the answer, or is refused", async (part, field) => {
    const value = otherThan(field, partOf(part)[field] ?? types[typeOf(part)]![field]);
    write(part, { [field]: value });
    const message = await refusal();
    if (message !== undefined) {
      // A size is refused by the weights or the other sizes it does not fit, all else by its name with what came.
      if (typeof value === "number") return;
      expect(message).toMatch(new RegExp(`${field}|weight`));
      if (typeof value === "string") expect(message).toContain("bogus");
      return;
    }
    try {
      const now = await answers(copy.dir);
      if (now.length === expected.length) expect(relativeError(now, expected)).toBeGreaterThan(1e-4);
    } catch (error) {
      // Places of pictures that are no longer found in the prompt.
      if (!isDeskhandError(error)) throw error;
    }
  });

  // Whether a head is tied is told from what is stored where nothing says so.
  it.each(fields.filter(([part, field]) => field !== "tie_word_embeddings" && types[typeOf(part)]![field] !== null))("%s.%s left out is what the reference's class has by itself", async (part, field) => {
    const { [field]: _, ...without } = partOf(part);
    const outcome = async (own: Json): Promise<string | number[]> => {
      copy.writeConfig(partOf(part) === config ? own : { ...config, [part]: own });
      const message = await refusal();
      return message ?? answers(copy.dir).catch((error: unknown) => String(error));
    };
    const left = field === "rope_parameters" ? Object.fromEntries(Object.entries(without).filter(([name]) => !["rope_theta", "rope_local_base_freq", "rope_scaling", "partial_rotary_factor"].includes(name))) : without;
    const absent = await outcome(left);
    // Some folders always have it.
    if (typeof absent === "string" && new RegExp(`${field}: .*received (undefined|null)`).test(absent)) return;
    expect(absent).toEqual(await outcome({ ...left, [field]: types[typeOf(part)]![field] }));
  });

  const text = config["text_config"] === undefined ? "" : "text_config";
  it.each([
    [{ rope_scaling: { rope_type: "bogus", factor: 2 } }, "rope_scaling"],
    [{ rope_scaling: { type: "bogus", factor: 2 } }, "rope_scaling"],
    [{ rope_parameters: { rope_type: "bogus", rope_theta: 10_000 } }, "rope_parameters"],
    [{ rope_parameters: { full_attention: { rope_type: "bogus" }, sliding_attention: { rope_type: "bogus" } } }, "rope_parameters"],
  ])("refuses %j by name", async (own, field) => {
    write(text, own);
    const message = await refusal();
    expect(message).toContain(`${text === "" || config["text_config"] === undefined ? "" : `${text}.`}${field}`);
  });

  it("refuses weights that other tools packed", async () => {
    copy.writeConfig({ ...config, quantization_config: { quant_method: "gptq", bits: 4 } });
    expect(await refusal()).toMatch(/quantization_config\.quant_method: Expected fp8.*gptq/);
    copy.writeConfig({ ...config, quantization_config: { quant_method: "fp8", fmt: "e5m2" } });
    expect(await refusal()).toMatch(/quantization_config\.fmt: Expected "e4m3" but received "e5m2"/);
  });

  it("refuses a head that is not what tie_word_embeddings says", async () => {
    const stored = Object.keys(copy.weights());
    const head = stored.find((path) => path.endsWith("lm_head.weight"));
    const isTied = head === undefined;
    copy.writeConfig({ ...config, tie_word_embeddings: !isTied, ...(text === "" ? {} : { text_config: { ...partOf(text), tie_word_embeddings: !isTied } }) });
    expect(await refusal()).toMatch(/lm_head\.weight.*tie_word_embeddings/);
  });

  it("refuses weights that are missing, left over or misshapen, by their names", async () => {
    copy.restore();
    const [[name, { shape }]] = Object.entries(copy.weights()).filter(([path, tensor]) => path.endsWith("q_proj.weight") || path.endsWith("qkv_proj.weight") || (path.endsWith("in_proj_qkv.weight") && tensor.shape.length === 2)) as [[string, StoredTensor]];
    const refused = async (change: (tensors: Record<string, StoredTensor>) => void, expectation: string | RegExp): Promise<void> => {
      copy.changeWeights((tensors) => (name in tensors ? change(tensors) : undefined));
      expect(await refusal()).toMatch(expectation);
    };
    await refused((tensors) => void delete tensors[name], /Expected a weight named .*proj/);
    await refused((tensors) => void (tensors["bogus.weight"] = tensors[name]!), "bogus.weight");
    await refused((tensors) => void (tensors[name]!.shape = [shape[0]! * 2, shape[1]! / 2]), `[${shape[0]! * 2}, ${shape[1]! / 2}]`);
  });
});
