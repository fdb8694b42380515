import { describe, expect, it } from "vitest";
import { localServer, PNG, PNG_URI, scriptedApp } from "./support.js";

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
