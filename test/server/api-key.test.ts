import { afterAll, beforeAll, expect, it } from "vitest";
import { HELLO, scriptedApp } from "./support.js";

let server: Awaited<ReturnType<typeof scriptedApp>>;
beforeAll(async () => {
  server = await scriptedApp(() => "ok", { apiKey: "the-key" });
});
afterAll(() => server.close());

const chat = async (headers: Record<string, string>) => (await server.post(HELLO, { headers })).statusCode;

it("lets requests with the key in, as a bearer token or in x-api-key", async () => {
  expect(await chat({ authorization: "Bearer the-key" })).toBe(200);
  expect(await chat({ authorization: "bearer the-key" })).toBe(200);
  expect(await chat({ "x-api-key": "the-key" })).toBe(200);
});

it.each<Record<string, string>>([{}, { authorization: "Bearer wrong" }, { authorization: "Basic the-key" }, { "x-api-key": "" }, { "x-api-key": "the-key2" }])("refuses %j, before it looks at the request", async (headers) => {
  const response = await server.app.inject({ method: "POST", url: "/v1/chat/completions", headers: { ...headers, "content-type": "text/plain" }, payload: "{" });
  expect(response.statusCode).toBe(401);
  expect(response.json()).toMatchObject({ error: { type: "authentication_error", code: "unauthorized" } });
});

it("leaves open what says nothing of models and conversations", async () => {
  for (const path of ["/health", "/ready", "/openapi.json", "/docs/", "/"]) expect((await server.app.inject(path)).statusCode).toBe(200);
  expect((await server.app.inject("/v1/models")).statusCode).toBe(401);
});
