import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { SimpleEngine } from "../../src/engine/simple-engine.js";
import { ErrorBody } from "../../src/server/schemas/error.js";
import { serve } from "../../src/server/start.js";
import { localServer, PNG, PNG_URI, scriptedApp } from "./support.js";

/** Random; it sees and hears. */
const OMNI = fileURLToPath(new URL("../golden/fixtures/qwen2-5-omni/model", import.meta.url));

const SOUND = Buffer.from("RIFF....WAVE");
const FILM = Buffer.from("....ftypmp42");
const user = (...content: unknown[]) => ({ messages: [{ role: "user", content }] });
const sound = (data: string) => ({ type: "input_audio", input_audio: { data, format: "wav" } });
const film = (url: string, more: object = {}) => ({ type: "video_url", video_url: { url, ...more } });
const dataUri = (type: string, bytes: Buffer) => `data:${type};base64,${bytes.toString("base64")}`;

it("sounds, videos and pictures keep their places among the text, in tool messages too", async () => {
  await using site = await localServer((request, response) => {
    const [type, bytes] = request.url === "/film" ? (["video/mp4", FILM] as const) : (["audio/mpeg", SOUND] as const);
    response.setHeader("content-type", type).end(bytes);
  });
  await using server = await scriptedApp(["ok"], { isAllowedAddress: () => true, engine: { info: { audio: true } } });
  const parts = [
    sound(SOUND.toString("base64")),
    { type: "text", text: "one" },
    film(`${site.url}/film`, { fps: 2, max_frames: 8 }),
    { type: "image_url", image_url: { url: PNG_URI } },
    sound(`${site.url}/sound`),
    film(dataUri("video/webm", FILM)),
    { type: "text", text: "two" },
  ];
  await server.answer({ messages: [{ role: "user", content: parts }, { role: "assistant", content: "x", tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }] }, { role: "tool", tool_call_id: "c", content: parts.slice(3) }] });
  const audio = { type: "audio", audio: SOUND };
  const video = { type: "video", video: FILM, fps: undefined, maxFrames: undefined };
  const expected = [audio, { type: "text", text: "one" }, { ...video, fps: 2, maxFrames: 8 }, { type: "image", image: PNG }, audio, video, { type: "text", text: "two" }];
  expect(server.engine.requests[0]?.messages).toMatchObject([{ role: "user", content: expected }, { role: "assistant" }, { role: "tool", content: expected.slice(3) }]);
});

describe("what is none, too large or elsewhere is a 400 that names the field", () => {
  it.each([
    ["a sound that is no base64", sound("***"), "input_audio.data", /base64/],
    ["a picture as a sound", sound(PNG_URI), "input_audio.data", /data:audio\/wav/],
    ["a page as a video", film(dataUri("text/html", FILM)), "video_url.url", /data:video\/mp4/],
    ["a path", film("file:///etc/passwd"), "video_url.url", /a file: URL/],
    ["an address of this machine", film("http://127.0.0.1:1/film.mp4"), "video_url.url", /private, loopback/],
    ["another one", sound("http://[::1]/a.wav"), "input_audio.data", /private, loopback/],
    ["a sound over the limit", sound(Buffer.alloc(2000).toString("base64")), "input_audio.data", /at most 1000 bytes/],
    ["too many frames", film(dataUri("video/mp4", FILM), { max_frames: 10_000 }), "video_url.max_frames", /768/],
  ])("%s", async (_name, part, field, message) => {
    await using server = await scriptedApp([], { limits: { maxMediaBytes: 1000 } });
    const refusal = await server.refusal(user({ type: "text", text: "x" }, part));
    expect(refusal).toMatchObject({ status: 400, param: `messages[0].content[1].${field}` });
    expect(refusal.message).toMatch(message);
    expect(server.engine.requests).toHaveLength(0);
  });

  it("a page behind the URL of a video, and a redirect to this machine", async () => {
    await using inner = await localServer((_request, response) => void response.setHeader("content-type", "text/html").end("<p>"), "127.0.0.2");
    await using site = await localServer((request, response) => {
      if (request.url === "/inner") response.writeHead(302, { location: inner.url }).end();
      else response.setHeader("content-type", "text/html").end("<p>");
    });
    await using server = await scriptedApp([], { isAllowedAddress: (address) => address === "127.0.0.1" });
    expect((await server.refusal(user(film(`${site.url}/page`)))).message).toMatch(/expected a video .* text\/html/);
    expect((await server.refusal(user(film(`${site.url}/inner`)))).code).toBe("forbidden_url");
  });
});

describe("what few bytes say is much is refused by what it is when decoded", () => {
  /** A WAVE file of silence: 8 bits, one channel. */
  const silence = (seconds: number, rateHz = 8000): Buffer => {
    const wav = Buffer.alloc(44 + seconds * rateHz, 128);
    wav.write("RIFF\0\0\0\0WAVEfmt ", 0, "latin1");
    wav.set([16, 0, 0, 0, 1, 0, 1, 0], 16);
    wav.writeUInt32LE(rateHz, 24);
    wav.writeUInt32LE(rateHz, 28);
    wav.set([1, 0, 8, 0], 32);
    wav.write("data", 36, "latin1");
    wav.writeUInt32LE(seconds * rateHz, 40);
    return wav;
  };
  const ask = async (url: string, content: unknown[]) => {
    const answer = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ...user(...content), max_tokens: 1 }) });
    return { status: answer.status, body: (await answer.json()) };
  };

  it("sounds by their seconds, one and all together; pictures by their pixels, all together", async () => {
    await using server = await serve({ engine: new SimpleEngine(OMNI), port: 0, limits: { maxChatSoundSeconds: 3 } });
    const text = { type: "text", text: "x" };
    const of = (seconds: number, rateHz?: number) => sound(silence(seconds, rateHz).toString("base64"));
    expect((await ask(server.url, [of(2), text])).status).toBe(200);
    for (const [content, message] of [
      [[of(4), text], /a sound of at most 3 s but it is longer/],
      // A thousand bytes of a thousand seconds.
      [[of(1000, 1), text], /a sound of at most 3 s but it is longer/],
      [[of(2), of(2), text], /sounds of at most 3 s together/],
    ] as const) {
      const { status, body } = await ask(server.url, [...content]);
      expect(status).toBe(400);
      expect(ErrorBody.parse(body).error).toMatchObject({ code: "unsupported_input", message: expect.stringMatching(message) as string });
    }
    const wide = await sharp({ create: { width: 8000, height: 8000, channels: 3, background: "#fff" } }).png({ palette: true, colours: 2 }).toBuffer();
    const { status, body } = await ask(server.url, [...Array.from({ length: 5 }, () => ({ type: "image_url", image_url: { url: dataUri("image/png", wide) } })), text]);
    expect(status).toBe(400);
    expect(ErrorBody.parse(body).error).toMatchObject({ code: "image_too_large", message: expect.stringMatching(/256 megapixels together/) as string });
  });
});
