import { connect } from "node:net";
import { once } from "node:events";
import { text as readAll } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { DeskhandError } from "../../src/core/errors.js";
import { ScriptedEngine } from "../../src/engine/scripted-engine.js";
import { ErrorBody } from "../../src/server/schemas/error.js";
import { serve } from "../../src/server/start.js";
import { HELLO, PNG_URI, scriptedApp } from "./support.js";

const user = (content: unknown) => ({ model: "scripted", messages: [{ role: "user", content }] });
const call = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };

describe("a request at fault is a 400 that names the field", () => {
  const cases: [name: string, payload: unknown, param: string | null, message: RegExp][] = [
    ["no messages", { model: "scripted" }, "messages", /expected array/],
    ["empty messages", { messages: [] }, "messages", /at least one/],
    ["a body that is no object", [1], null, /expected object/],
    ["an unknown role", { messages: [{ role: "robot", content: "x" }] }, "messages[0].role", /"system", "developer"/],
    ["content of a wrong type", user(5), "messages[0].content", /a string or an array of content parts/],
    ["no content", { messages: [{ role: "user" }] }, "messages[0].content", /a string or an array of content parts/],
    ["an assistant message with nothing", { messages: [{ role: "assistant", content: null }] }, "messages[0].content", /content, tool_calls, or both/],
    ["an unknown part", user([{ type: "file", file: {} }]), "messages[0].content[0].type", /"text", "image_url"/],
    ["a sound without data", user([{ type: "input_audio", input_audio: {} }]), "messages[0].content[0].input_audio.data", /expected string/],
    ["a bare-string image_url", user([{ type: "text", text: "a" }, { type: "image_url", image_url: PNG_URI }]), "messages[0].content[1].image_url", /\{"url": "…"\}.*bare string/],
    ["an image_url without url", user([{ type: "image_url", image_url: {} }]), "messages[0].content[0].image_url.url", /expected string/],
    ["a tool message without an id", { messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id", /expected string/],
    ["arguments that are no string", { messages: [{ role: "assistant", tool_calls: [{ ...call, function: { name: "f", arguments: {} } }] }] }, "messages[0].tool_calls[0].function.arguments", /expected string/],
    ["a body that is nested too deep", JSON.parse(`{"messages":${"[".repeat(300)}${"]".repeat(300)}}`), null, /at most 256 deep/],
    ["arguments that are", { messages: [{ role: "assistant", tool_calls: [{ ...call, function: { name: "f", arguments: "[".repeat(5000) + "]".repeat(5000) } }] }] }, "messages[0].tool_calls[0].function.arguments", /at most 256 deep/],
    ["temperature out of range", { ...HELLO, temperature: 3 }, "temperature", /<=2/],
    ["temperature as text", { ...HELLO, temperature: "hot" }, "temperature", /expected number/],
    ["max_tokens zero", { ...HELLO, max_tokens: 0 }, "max_tokens", />=1/],
    ["five stop strings", { ...HELLO, stop: ["a", "b", "c", "d", "e"] }, "stop", /<=4/],
    ["an empty stop string", { ...HELLO, stop: [""] }, "stop[0]", /non-empty/],
    ["a tool without a name", { ...HELLO, tools: [{ type: "function", function: {} }] }, "tools[0].function.name", /expected string/],
    ["an unknown tool_choice", { ...HELLO, tool_choice: "maybe" }, "tool_choice", /"none", "auto", "required"/],
    ["a picture that is no base64", user([{ type: "image_url", image_url: { url: "data:image/png;base64,***" } }]), "messages[0].content[0].image_url.url", /base64/],
    ["a data URI of another kind", user([{ type: "image_url", image_url: { url: "data:text/html,hello" } }]), "messages[0].content[0].image_url.url", /data:image\/png;base64/],
  ];
  it.each(cases)("%s", async (_name, payload, param, message) => {
    await using server = await scriptedApp([]);
    const refusal = await server.refusal(payload);
    expect(refusal).toMatchObject({ status: 400, type: "invalid_request_error", param });
    expect(refusal.message).toMatch(message);
    expect(server.engine.requests).toHaveLength(0);
  });
});

describe("what would silently change the answer is refused", () => {
  it.each([
    ["grammar", 'root ::= "yes"'],
    ["modalities", ["text", "audio"]],
    ["audio", { voice: "alloy", format: "wav" }],
  ])("%s", async (param, value) => {
    await using server = await scriptedApp([]);
    const refusal = await server.refusal({ ...HELLO, [param]: value });
    expect(refusal).toMatchObject({ status: 400, code: "unsupported_input", param });
    expect(refusal.message).toMatch(/Instead, /);
  });
});

describe("statuses", () => {
  it("404 for a model that is not served, naming those that are", async () => {
    await using server = await scriptedApp(() => "ok", { engine: { info: { id: "org/Model-4bit" } } });
    const refusal = await server.refusal({ ...HELLO, model: "gpt-9" });
    expect(refusal).toMatchObject({ status: 404, code: "model_not_found", param: "model" });
    expect(refusal.message).toContain('"org/Model-4bit" or "Model-4bit"');
    for (const model of ["org/Model-4bit", "Model-4bit", undefined]) {
      const answer = await server.answer({ ...HELLO, model });
      expect(answer.model).toBe("org/Model-4bit");
    }
  });

  it("the engine's own refusal keeps its status, also when streaming", async () => {
    const error = new DeskhandError("context_length_exceeded", "Expected at most 10 tokens but received 20.", { param: "messages" });
    await using server = await scriptedApp(() => ({ error }));
    for (const stream of [false, true]) {
      expect(await server.refusal({ ...HELLO, stream })).toMatchObject({ status: 400, code: "context_length_exceeded", param: "messages", message: error.message });
    }
  });

  it("500 without the detail when the engine breaks", async () => {
    await using server = await scriptedApp(() => ({ error: new Error("secret detail") }));
    const refusal = await server.refusal(HELLO);
    expect(refusal).toMatchObject({ status: 500, type: "server_error", code: "internal" });
    expect(refusal.message).not.toContain("secret");
    expect(refusal.message).toContain(String(refusal.headers["x-request-id"]));
  });

  it.each([
    ["malformed JSON", { payload: '{"messages": [', headers: { "content-type": "application/json" } }, 400, "invalid_json"],
    ["an empty body", { payload: "", headers: { "content-type": "application/json" } }, 400, "invalid_json"],
    ["text instead of JSON", { payload: "{}", headers: { "content-type": "text/plain" } }, 415, "unsupported_media_type"],
    ["a body over the limit", { payload: user("x".repeat(3000)) }, 413, "request_too_large"],
    ["an unknown path", { url: "/v2/chat" }, 404, "not_found"],
    ["a broken path", { url: "/v1/%zz" }, 400, "invalid_argument"],
    ["a wrong method", { method: "GET" as const }, 405, "method_not_allowed"],
  ])("%s", async (_name, request, status, code) => {
    await using server = await scriptedApp([], { limits: { maxBodyBytes: 2000 } });
    const response = await server.app.inject({ method: "POST", url: "/v1/chat/completions", ...request });
    expect(response.statusCode).toBe(status);
    expect(ErrorBody.parse(response.json()).error.code).toBe(code);
    expect(response.headers["x-request-id"]).toMatch(/^req_/);
    if (status === 405) expect(response.headers["allow"]).toBe("POST");
  });

  it("a request that is not HTTP", async () => {
    await using server = await serve({ engine: new ScriptedEngine([]), port: 0 });
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("NOT HTTP\r\n\r\n");
    const answer = await readAll(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(ErrorBody.parse(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).error.code).toBe("bad_request");
  });
});

it("a client's request id is kept when plain, and replaced when not", async () => {
  await using server = await scriptedApp([]);
  const idFor = async (id: string) => (await server.app.inject({ url: "/health", headers: { "x-request-id": id } })).headers["x-request-id"];
  expect(await idFor("trace-1.2:3")).toBe("trace-1.2:3");
  expect(await idFor("two words")).toMatch(/^req_/);
  expect(await idFor("x".repeat(500))).toMatch(/^req_/);
});
