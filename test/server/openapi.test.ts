import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HELLO, PNG_URI, scriptedApp } from "./support.js";

interface Operation {
  operationId: string;
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
  requestBody?: { content: Record<string, { schema: object }> };
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

let server: Awaited<ReturnType<typeof scriptedApp>>;
let document: Document;
/** JSON Schema's own rules, from a library of their own. */
let ajv: Ajv2020;

beforeAll(async () => {
  server = await scriptedApp(() => ({ text: "ok", reasoning: "hm", toolCalls: [{ name: "f", arguments: "{}" }] }));
  document = (await server.app.inject("/openapi.json")).json();
  ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "openapi", ...document });
});
afterAll(() => server.close());

function accepts(operation: Operation | undefined, body: unknown): boolean {
  const schema = operation?.requestBody?.content["application/json"]?.schema as { $ref: string };
  return ajv.validate({ $ref: `openapi${schema.$ref}` }, body);
}

function expectDescribed(operation: Operation | undefined, status: number, body: unknown): void {
  const schema = operation?.responses[status]?.content?.["application/json"]?.schema as { $ref: string };
  ajv.validate({ $ref: `openapi${schema.$ref}` }, body);
  expect(ajv.errors).toBeNull();
}

it("is a valid OpenAPI 3.1 document", async () => {
  expect(document.openapi).toBe("3.1.0");
  expect(await new Validator().validate({ ...structuredClone(document) })).toMatchObject({ valid: true });
});

it("names each operation once", () => {
  const ids = Object.values(document.paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  expect(new Set(ids).size).toBe(ids.length);
});

describe("its schema of chat requests judges as the server does", () => {
  const user = (content: unknown) => ({ messages: [{ role: "user", content }] });
  it.each([
    [true, HELLO],
    [true, user([{ type: "text", text: "a" }, { type: "image_url", image_url: { url: PNG_URI, detail: null } }])],
    [true, { ...HELLO, temperature: null, stop: ["a", "b"], stream: false, user: "somebody", tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }] }],
    [false, {}],
    [false, [1]],
    [false, { messages: [] }],
    [false, user(5)],
    [false, user([{ type: "image_url", image_url: PNG_URI }])],
    [false, { messages: [{ role: "robot", content: "x" }] }],
    [false, { ...HELLO, temperature: 3 }],
    [false, { ...HELLO, max_tokens: 0 }],
    [false, { ...HELLO, stop: [""] }],
    [false, { ...HELLO, tools: [{ type: "function", function: {} }] }],
  ])("%s: %j", async (isGood, body) => {
    const operation = document.paths["/v1/chat/completions"]?.["post"];
    expect(accepts(operation, body)).toBe(isGood);
    const response = await server.post(body);
    expect(response.statusCode).toBe(isGood ? 200 : 400);
    expectDescribed(operation, response.statusCode, response.json());
  });
});

it("describes what the other routes answer", async () => {
  for (const path of ["/health", "/ready", "/v1/models"]) {
    const response = await server.app.inject(path);
    expectDescribed(document.paths[path]?.["get"], response.statusCode, response.json());
  }
  expectDescribed(document.paths["/v1/models/{id}"]?.["get"], 404, (await server.app.inject("/v1/models/none")).json());
});

it("describes the chunks of a stream", async () => {
  const content = document.paths["/v1/chat/completions"]?.["post"]?.responses["200"]?.content?.["text/event-stream"]?.schema as { properties: { data: { contentSchema: { $ref: string } } } };
  const { chunks } = await server.stream(HELLO);
  for (const chunk of chunks) {
    ajv.validate({ $ref: `openapi${content.properties.data.contentSchema.$ref}` }, chunk);
    expect(ajv.errors).toBeNull();
  }
});

it("is shown at /docs by a page that loads nothing from elsewhere", async () => {
  const page = await server.app.inject("/docs/");
  expect(page.headers["content-type"]).toMatch(/^text\/html/);
  expect(page.headers["content-security-policy"]).toMatch(/^default-src 'self';/);
  const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = ""]) => url);
  expect(assets.length).toBeGreaterThan(2);
  for (const url of assets) {
    expect(url).not.toMatch(/^(https?:)?\/\//);
    expect((await server.app.inject(new URL(url, "http://here/docs/").pathname)).statusCode).toBe(200);
  }
  expect((await server.app.inject("/docs/json")).json()).toEqual(document);
});
