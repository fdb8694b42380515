import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AnswerGrammars } from "../../src/engine/grammar/answers.js";
import { Tokenizer } from "../../src/engine/tokenizer/tokenizer.js";
import { allows } from "./support/allows.js";
import { noise } from "./support/noise.js";
import { Random } from "./support/random-schemas.js";

/** Schemas as zod and pydantic write them, judged by zod itself and by ajv with its formats. */
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
const tokenizer = await Tokenizer.load("models/tiny");
const grammars = new AnswerGrammars(tokenizer, undefined);

const Category: z.ZodType = z.object({ name: z.string().max(3), get parts(): z.ZodType { return z.array(Category).max(2); } }); // prettier-ignore

/** With a value that the model must be able to write. */
const ZOD: Readonly<Record<string, readonly [z.ZodType, unknown]>> = {
  email: [z.email(), "ada.love-lace@mail.example.org"],
  "email, cut": [z.email().max(20), "a@example.org"],
  uuid: [z.uuid(), "F47AC10B-58cc-4372-a567-0e02b2c3d479"],
  uuidv4: [z.uuidv4(), "f47ac10b-58cc-4372-a567-0e02b2c3d479"],
  guid: [z.guid(), "f47ac10b-58cc-4372-a567-0e02b2c3d479"],
  url: [z.url(), "https://user.example.org:8080/a%20b/(c)?q=1&r=/#top"],
  datetime: [z.iso.datetime(), "2024-02-29T23:59:59.5Z"],
  "datetime with an offset": [z.iso.datetime({ offset: true }), "2026-11-21T13:00:00+01:00"],
  date: [z.iso.date(), "2000-02-29"],
  time: [z.iso.time(), "23:59"],
  duration: [z.iso.duration(), "P1Y2M3DT4H5M6S"],
  ipv4: [z.ipv4(), "192.168.0.255"],
  ipv6: [z.ipv6(), "2001:DB8::1"],
  cidrv4: [z.cidrv4(), "10.0.0.0/8"],
  hostname: [z.hostname(), "a-b.example.org"],
  cuid2: [z.cuid2(), "tz4a98xxat96iws9zmbrgj3a"],
  ulid: [z.ulid(), "01ARZ3NDEKTSV4RRFFQ69G5FAV"],
  nanoid: [z.nanoid(), "V1StGXR8_Z5jdHi6B-myT"],
  base64: [z.base64().max(12), "aGVsbG8="],
  e164: [z.e164(), "+491701234567"],
  emoji: [z.emoji().max(4), "😀"],
  hex: [z.hex().max(6), "c0ffee"],
  mac: [z.mac(), "00:1a:2b:3c:4d:5e"],
  int: [z.int(), Number.MAX_SAFE_INTEGER],
  int32: [z.int32(), -2147483648],
  "number within bounds": [z.number().positive().lt(10), 9.75],
  "parts of a text": [z.string().startsWith("ab").includes("m").endsWith("yz").max(9), "ab-m-yz"],
  "a pattern and lengths": [z.string().regex(/^[a-z]+\d*$/).min(2).max(5), "abc12"], // prettier-ignore
  "a pattern that looks ahead": [z.string().regex(/^(?=.*\d)(?=.*[a-z])[a-z\d]{4,8}$/), "abc1"],
  template: [z.templateLiteral(["v", z.int(), ".", z.enum(["x", "y"])]), "v-12.y"],
  tuple: [z.tuple([z.boolean(), z.int()]), [true, 1]],
  "tuple with a rest": [z.tuple([z.boolean()]).rest(z.int().min(0).max(9)), [true, 1, 2]],
  record: [z.object({ map: z.record(z.string().regex(/^[a-z]{1,3}$/), z.boolean()) }), { map: { a: true } }],
  "record of names": [z.record(z.enum(["a", "b"]), z.boolean()), { a: true, b: false }],
  "record of some names": [z.partialRecord(z.enum(["a", "b"]), z.boolean()), { b: false }],
  "discriminated union": [z.discriminatedUnion("kind", [z.object({ kind: z.literal("dot"), at: z.int() }), z.object({ kind: z.literal("line"), to: z.boolean() })]), { kind: "line", to: true }],
  union: [z.union([z.boolean(), z.object({ a: z.null() })]), { a: null }],
  intersection: [z.intersection(z.object({ a: z.boolean() }), z.object({ b: z.boolean() })), { a: true, b: false }],
  nullable: [z.object({ a: z.boolean().nullable(), b: z.boolean().optional(), c: z.int().default(3) }), { a: null, c: 3 }],
  literals: [z.literal(["a", 1, null]), 1],
  recursive: [Category, { name: "a", parts: [{ name: "b", parts: [] }] }],
  loose: [z.looseObject({ a: z.boolean() }), { a: true, more: 1 }],
  strict: [z.strictObject({ a: z.boolean() }), { a: true }],
  json: [z.object({ any: z.json() }), { any: [1, { a: null }] }],
};

const samples = { maxTokens: 500 };

describe("what zod makes", () => {
  it.each(Object.keys(ZOD))("%s: all that is written is valid, and what is valid can be", async (name) => {
    const [type, example] = ZOD[name]!;
    const schema = z.toJSONSchema(type);
    expect(type.safeParse(example).success).toBe(true);
    expect(allows(schema)(JSON.stringify(example))).toBe(true);
    let whole = 0;
    for (let seed = 0; seed < 12; seed++) {
      const { text, isWhole } = await noise(grammars.constraint({ responseFormat: { type: "json_schema", schema } }, "none")!, tokenizer, new Random(seed), samples);
      if (!isWhole) continue;
      whole++;
      expect(type.safeParse(JSON.parse(text)).success, text).toBe(true);
    }
    expect(whole).toBeGreaterThan(3);
  });
});

describe("what pydantic makes", () => {
  const schemas = JSON.parse(readFileSync("test/unit/fixtures/pydantic-schemas.json", "utf8")) as Record<string, object>;

  it.each(Object.keys(schemas))("%s", async (name) => {
    const schema = schemas[name]!;
    const judge = ajv.compile(schema);
    let whole = 0;
    for (let seed = 0; seed < 12; seed++) {
      const { text, isWhole } = await noise(grammars.constraint({ responseFormat: { type: "json_schema", schema: schema } }, "none")!, tokenizer, new Random(seed), { maxTokens: 1500 });
      if (!isWhole) continue;
      whole++;
      expect(judge(JSON.parse(text)), `${text} ${ajv.errorsText(judge.errors)}`).toBe(true);
    }
    expect(whole).toBeGreaterThan(3);
  });
});
