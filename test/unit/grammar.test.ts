import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AnswerGrammars, checkSchema } from "../../src/engine/grammar/answers.js";
import { Tokenizer } from "../../src/engine/tokenizer/tokenizer.js";
import { allows } from "./support/allows.js";
import { noise } from "./support/noise.js";
import { Random, randomRoot } from "./support/random-schemas.js";

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
const tokenizer = await Tokenizer.load("models/tiny");
const grammars = new AnswerGrammars(tokenizer, undefined);

describe("noise under a schema's grammar", () => {
  it("is always valid JSON of the schema, as ajv judges it", async () => {
    let whole = 0;
    const cases = 300;
    for (let seed = 0; seed < cases; seed++) {
      const schema = randomRoot(new Random(seed));
      const constraint = grammars.constraint({ responseFormat: { type: "json_schema", schema } }, "none")!;
      const { text, isWhole } = await noise(constraint, tokenizer, new Random(seed + 1));
      if (!isWhole) continue;
      whole++;
      const isValid = ajv.validate(schema, JSON.parse(text));
      expect(isValid, `seed ${seed}: ${text} by ${JSON.stringify(schema)}: ${ajv.errorsText()}`).toBe(true);
    }
    expect(whole).toBeGreaterThan(0.7 * cases);
  });

  it("is a JSON object where no more is asked for", async () => {
    for (let seed = 0; seed < 30; seed++) {
      const { text, isWhole } = await noise(grammars.constraint({ responseFormat: { type: "json_object" } }, "none")!, tokenizer, new Random(seed), { maxTokens: 150 });
      if (isWhole) expect(JSON.parse(text)).toBeTypeOf("object");
    }
  });

  it("has its thinking first, then the JSON", async () => {
    const responseFormat = { type: "json_schema", schema: { type: "integer", minimum: 3, maximum: 1412 } } as const;
    for (let seed = 0; seed < 20; seed++) {
      const open = await noise(grammars.constraint({ responseFormat }, "open")!, tokenizer, new Random(seed), { begin: "so { 9 </thin> hm</think>" });
      const possible = await noise(grammars.constraint({ responseFormat }, "possible")!, tokenizer, new Random(seed), { begin: seed % 2 === 0 ? "<think>so</think>\n\n" : "" });
      for (const { text, isWhole } of [open, possible]) {
        expect(isWhole).toBe(true);
        const answer = Number(text.split("</think>").at(-1));
        expect(answer).toBeGreaterThanOrEqual(3);
        expect(answer).toBeLessThanOrEqual(1412);
      }
    }
  });
});

describe("formats of strings", () => {
  it.each([
    ["date", z.iso.date()],
    ["date-time", z.iso.datetime({ offset: true })],
    ["duration", z.iso.duration()],
    ["uuid", z.uuid()],
    ["email", z.email()],
    ["ipv4", z.ipv4()],
    ["ipv6", z.ipv6()],
    ["uri", z.url()],
    ["hostname", z.hostname()],
  ])("%s, as zod judges it", async (format, type) => {
    for (let seed = 0; seed < 40; seed++) {
      const { text, isWhole } = await noise(grammars.constraint({ responseFormat: { type: "json_schema", schema: { type: "string", format } } }, "none")!, tokenizer, new Random(seed), { maxTokens: 2000 });
      expect(isWhole).toBe(true);
      expect(type.safeParse(JSON.parse(text)).success, text).toBe(true);
    }
  });
});

describe("a schema's grammar", () => {
  const point = { type: "object", properties: { x: { type: "integer", minimum: 0, maximum: 1279 }, label: { type: "string", minLength: 1, maxLength: 3 } }, required: ["x"] };
  const list = { $defs: { node: { type: "object", properties: { next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } }, required: ["next"] } }, $ref: "#/$defs/node" };
  const shape = { oneOf: [{ type: "object", properties: { kind: { const: "dot" } }, required: ["kind"] }, { type: "object", properties: { kind: { const: "line" }, to: { type: "integer" } }, required: ["kind", "to"] }] };
  const map = { type: "object", properties: { ab: { type: "integer" } }, additionalProperties: { type: "string" } };

  it.each([
    [point, '{"x": 1279}', '{"x": 1280}'],
    [point, '{"x":0,"label":"é😀x"}', '{"x":0,"label":"é😀xy"}'],
    [point, '{\n  "x": 5\n}', '{"x": 05}'],
    [point, '{"x": 5 }', '{"label": "a"}'],
    [list, '{"next":{"next":null}}', '{"next":{}}'],
    [shape, '{"kind": "line", "to": 3}', '{"kind": "line"}'],
    [map, '{"ab":1,"abc":"x","a":"y"}', '{"ab":1,"ab":"x"}'],
    [{ type: "number", minimum: -1.5, exclusiveMaximum: 2.25 }, "2.2499", "2.2500"],
    [{ type: "number", minimum: -1.5, exclusiveMaximum: 2.25 }, "-1.50", "-1.51"],
    [{ type: "number", exclusiveMinimum: 0.1 }, "0.11", "0.10"],
    [{ type: "integer", multipleOf: 5, minimum: -10, maximum: 100 }, "95", "96"],
    [{ type: "string", pattern: "^[a-c]+-\\d{2,3}$" }, '"abc-12"', '"abc-1"'],
    [{ type: "string", pattern: "b" }, '"abc"', '"ac"'],
    [{ type: "string", pattern: "^a*$", maxLength: 3 }, '"aaa"', '"aaaa"'],
    [{ type: "string", pattern: "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$" }, '"-0.5"', '"-."'],
    [{ type: "string", format: "hostname" }, '"1host.example.org"', '"xn--a.example.org"'],
    [{ type: "object", patternProperties: { "^x": { type: "null" }, "y$": { type: "boolean" } } }, '{"xa":null,"ay":true}', '{"xy":null}'],
    [{ type: "object", propertyNames: { enum: ["a", "b"] }, additionalProperties: { type: "null" }, required: ["b"] }, '{"b":null}', '{"a":null}'],
    [{ allOf: [{ prefixItems: [{ minimum: 3 }] }], items: { type: "integer", minimum: 5 } }, "[5,7]", "[3,5]"],
    [{ allOf: [{ properties: { x: {} } }, { unevaluatedProperties: false }] }, "{}", '{"x":1}'],
    [{ allOf: [{ properties: { x: {} } }], unevaluatedProperties: false }, '{"x":1}', '{"y":1}'],
    [{ type: "integer" }, "9007199254740991", "9007199254740992"],
    [{ type: "array", prefixItems: [{ type: "integer" }, { type: "string" }] }, '[1, "a"]', "[1, 2]"],
    [{ enum: ["a", "abc", 1] }, '"abc"', '"ab"'],
    [{ type: "object", properties: { "": { type: "null" }, __proto__: { type: "null" } } }, '{"": null}', '{"x": null}'],
    [{ type: ["string", "null"], enum: ["x", null, 3] }, "null", "3"],
  ])("%j allows %s and not %s", (schema, yes, no) => {
    expect(allows(schema)(yes)).toBe(true);
    expect(allows(schema)(no)).toBe(false);
  });

  it.each([
    [{ type: "object", properties: { x: { type: "string", pattern: "(?<=a)b" } } }, "/properties/x/pattern"],
    [{ type: "object", properties: { x: { type: "string", pattern: "(" } } }, "/properties/x/pattern"],
    [{ type: "object", properties: { "a/b": { not: {} } } }, "/properties/a~1b/not"],
    [{ type: "array", items: { type: "array", uniqueItems: true } }, "/items/uniqueItems"],
    [{ type: "string", format: "colour" }, "/format"],
    [{ type: "number", multipleOf: 0.1 }, "/multipleOf"],
    [{ type: "text" }, "/type"],
    [{ anyOf: [{ type: "string" }, { $ref: "#/$defs/none" }] }, "/anyOf/1/$ref"],
    [{ $ref: "https://example.org/schema" }, "/$ref"],
    [{ oneOf: [{ type: "integer" }, { type: "number" }] }, "/oneOf"],
    [{ enum: ["a"], minLength: 3 }, "/minLength"],
    [{ $ref: "#" }, ""],
    [{ type: "object", properties: { x: { $ref: "#" } }, required: ["x"] }, ""],
    [{ allOf: [{ type: "string" }, { type: "integer" }] }, ""],
    ["string", ""],
  ])("%j is refused by its path, %s", (schema, path) => {
    expect(() => checkSchema(schema, "schema")).toThrow(expect.objectContaining({ status: 400, param: `schema${path}` }));
  });
});

describe("a hostile schema", () => {
  const deep = (levels: number): unknown => Array.from({ length: levels }).reduce<unknown>((items) => ({ type: "array", items }), {});
  const wide = { type: "object", properties: Object.fromEntries(Array.from({ length: 6000 }, (_, i) => [`p${i}`, { type: "integer" }])) };
  const doubling = { $defs: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i}`, { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] }])), $ref: "#/$defs/d0" };
  const branches = { allOf: Array.from({ length: 20 }, (_, i) => ({ anyOf: [{ minLength: i }, { maxLength: 100 + i }] })) };

  const hostile = { deep: deep(100), "deeper than the stack": deep(20_000), wide, doubling, multiplying: branches, large: { const: "x".repeat(300_000) } };

  it.each(Object.keys(hostile))("that is %s is refused", (name) => {
    expect(() => checkSchema(hostile[name as keyof typeof hostile], "schema")).toThrow(expect.objectContaining({ status: 400 }));
  });

  // What other engines unroll: here the work is bounded for each token, and what goes beyond is refused.
  it.each(["[ab]*a[ab]{500}", "^(([a-z]{0,20}){0,20}){0,20}$", "^(.*a.*b.*c.*d.*){1,500}$", "^(a?){1,30}$", "^((a|b|[a-z]){1,100}[0-9]?){1,100}$", "^[^x]{100000}$"])("the pattern %s costs bounded work a token or is refused", async (pattern) => {
    const attempt = async (): Promise<string> => {
      const constraint = grammars.constraint({ responseFormat: { type: "json_schema", schema: { type: "string", pattern } } }, "none")!;
      return (await noise(constraint, tokenizer, new Random(1), { maxTokens: 20 })).text;
    };
    const outcome = await attempt().catch((error: unknown) => error);
    if (typeof outcome === "string") expect(outcome.startsWith('"') || outcome.startsWith(' "')).toBe(true);
    else expect(outcome).toMatchObject({ status: 400 });
  });
});
