import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp, { type Sharp } from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { avfoundationCameras, chooseCamera, v4l2Cameras } from "../../src/agent/streams/cameras.js";
import { FrameSlot, type Frame } from "../../src/agent/streams/frame-slot.js";
import { JpegSplitter } from "../../src/agent/streams/jpeg-splitter.js";
import { RecentFrames, RecentSound } from "../../src/agent/streams/recent.js";
import { sceneChange, sceneOf } from "../../src/agent/streams/scene.js";
import { cameraSource, findVideoSource, networkSource } from "../../src/agent/streams/video-source.js";
import { VideoStream, type StreamEvent } from "../../src/agent/streams/video-stream.js";
import { descendantsOf, until } from "../support/desktop.js";
import { MjpegCamera } from "../support/mjpeg-camera.js";
import { numberedPicture, numberIn } from "../support/numbered-picture.js";
import { RtspCamera } from "../support/rtsp-camera.js";

const run = promisify(execFile);
const LIMIT_MS = 60_000;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "deskhand-streams-"));
});
afterAll(() => rm(home, { recursive: true }));
afterEach(() => void vi.unstubAllEnvs());

const frame = (number: number, atMs = 0, jpeg: Buffer = Buffer.alloc(0)): Frame => ({ jpeg, number, at: new Date(atMs) });
/** A comment segment right after the beginning. */
const withComment = (jpeg: Buffer, comment: Buffer): Buffer => Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xfe, 0, comment.length + 2]), comment, jpeg.subarray(2)]);

describe("pictures one after the other", () => {
  let pictures: Buffer[];
  beforeAll(async () => {
    const noise = await sharp({ create: { width: 90, height: 70, channels: 3, background: "#777", noise: { type: "gaussian", mean: 128, sigma: 60 } } }).png().toBuffer();
    pictures = [
      await sharp(noise).jpeg({ quality: 95 }).toBuffer(),
      await sharp(noise).jpeg({ progressive: true }).toBuffer(),
      // The end of a picture, and the beginning of another, that are neither.
      withComment(await numberedPicture(7), Buffer.from([0xff, 0xd9, 0xff, 0xd8, 0xff])),
      await numberedPicture(8),
    ];
  });

  it.each([1, 2, 3, 7, 64, 1000, 1_000_000])("are found whole in a stream that comes %i bytes at a time", (size) => {
    const stream = Buffer.concat([Buffer.from("no picture \xff", "latin1"), ...pictures]);
    const splitter = new JpegSplitter();
    const found: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) found.push(...splitter.push(stream.subarray(at, at + size)));
    expect(found.map((one) => one.toString("hex"))).toEqual(pictures.map((one) => one.toString("hex")));
  });

  it("are found again behind one that is cut off, and one without an end is an error", () => {
    const [first, , , last] = pictures as [Buffer, Buffer, Buffer, Buffer];
    expect(new JpegSplitter().push(Buffer.concat([first.subarray(0, first.length - 100), last])).map((one) => one.equals(last))).toEqual([true]);
    const splitter = new JpegSplitter(100_000);
    expect(() => {
      splitter.push(first.subarray(0, first.length - 2));
      for (let i = 0; i < 200; i++) splitter.push(Buffer.alloc(1000, 0x55));
    }).toThrow(expect.objectContaining({ code: "stream_unavailable", message: expect.stringContaining("100000 bytes") as string }) as Error);
  });
});

describe("what is kept", () => {
  it("is one frame, the newest; those nobody took are counted", () => {
    const slot = new FrameSlot();
    for (let i = 1; i <= 5; i++) slot.put(Buffer.from([i]));
    expect([slot.take()?.number, slot.take(), slot.newest?.number, slot.received, slot.dropped]).toEqual([5, undefined, 5, 5, 4]);
    slot.put(Buffer.from([6]));
    expect([slot.take()?.number, slot.dropped]).toEqual([6, 4]);
  });

  it("is for requests with several frames the newest, and those before it a second apart", () => {
    const recent = new RecentFrames(3);
    for (let i = 0; i <= 50; i++) {
      recent.push(frame(i, i * 100));
      const numbers = recent.frames.map(({ number }) => number);
      expect(numbers.at(-1)).toBe(i);
      expect(numbers.length).toBeLessThanOrEqual(3);
      for (const [at, number] of numbers.entries()) if (at > 0) expect(number - (numbers[at - 1] as number)).toBeGreaterThanOrEqual(10);
    }
    expect(recent.frames).toHaveLength(3);
  });

  it("is of the sound the last ten seconds, once", () => {
    const sound = new RecentSound();
    for (let second = 0; second < 100; second++) sound.push(new Int16Array(16_000).fill(second));
    const kept = sound.take()!;
    expect([kept.length, kept[0], kept.at(-1), sound.take()]).toEqual([160_000, 90, 99, undefined]);
    sound.push(new Int16Array(16_000));
    expect(sound.take()).toBeUndefined();
  });

  it("a scene has changed by the part that looks different, and not by noise", async () => {
    const grey = (noise?: number) => sharp({ create: { width: 640, height: 480, channels: 3, background: "#808080", ...(noise !== undefined && { noise: { type: "gaussian", mean: 128, sigma: noise } }) } });
    const scene = async (picture: Sharp) => sceneOf(frame(1, 0, await picture.jpeg().toBuffer()));
    const still = await scene(grey());
    expect(sceneChange(still, await scene(grey(30)))).toBe(0);
    // A quarter of the picture, with cells at its edge.
    const quarter = await scene(grey().composite([{ input: { create: { width: 320, height: 240, channels: 3, background: "#f00" } }, left: 0, top: 0 }]));
    expect(sceneChange(still, quarter)).toBeGreaterThanOrEqual(0.25);
    expect(sceneChange(still, quarter)).toBeLessThan(0.3);
  });
});

describe("sources", () => {
  it("cameras on Linux are those nodes of a device that give pictures, in order", async () => {
    for (const [node, name, index] of [["video0", "Front: HD", "0"], ["video1", "Front: HD", "1"], ["video10", "Desk", "0"], ["video2", "Door", "0"], ["v4l-subdev0", "x", "0"]] as const) {
      await mkdir(join(home, "sys", node), { recursive: true });
      await writeFile(join(home, "sys", node, "name"), `${name}\n`);
      await writeFile(join(home, "sys", node, "index"), `${index}\n`);
    }
    expect(await v4l2Cameras(join(home, "sys"))).toEqual([{ id: "/dev/video0", name: "Front: HD" }, { id: "/dev/video2", name: "Door" }, { id: "/dev/video10", name: "Desk" }]);
    expect(await v4l2Cameras(join(home, "none"))).toEqual([]);
  });

  it("cameras on macOS are read from ffmpeg's list, without the microphones", () => {
    const listing = "[AVFoundation indev @ 0x1] AVFoundation video devices:\n[AVFoundation indev @ 0x1] [0] FaceTime HD Camera\n[AVFoundation indev @ 0x1] [1] Capture screen 0\n[AVFoundation indev @ 0x1] AVFoundation audio devices:\n[AVFoundation indev @ 0x1] [0] Microphone\n: Input/output error\n";
    expect(avfoundationCameras(listing)).toEqual([{ id: "0", name: "FaceTime HD Camera" }, { id: "1", name: "Capture screen 0" }]);
  });

  it("are chosen by number, path or name, and one that is not there lists those that are", () => {
    const cameras = [{ id: "/dev/video0", name: "Front" }, { id: "/dev/video2", name: "Door" }];
    expect([undefined, "2", "/dev/video2", "door"].map((wanted) => chooseCamera(wanted, cameras).name)).toEqual(["Front", "Door", "Door", "Door"]);
    expect(() => chooseCamera("roof", cameras)).toThrow(/Expected the camera "roof" but there are only \/dev\/video0 \(Front\), \/dev\/video2 \(Door\)/);
    expect(() => chooseCamera(undefined, [])).toThrow(/this machine has none/);
  });

  it("are opened with no more than they need", () => {
    expect(cameraSource({ id: "/dev/video2", name: "Door" }, "linux").args).toEqual(["-f", "v4l2", "-i", "/dev/video2"]);
    expect(cameraSource({ id: "0", name: "Front" }, "darwin").args).toEqual(["-f", "avfoundation", "-framerate", "30", "-i", "0:none"]);
    const allowed = (address: string): string | undefined => networkSource(address).args[networkSource(address).args.indexOf("-protocol_whitelist") + 1];
    expect(["rtsp://cam/1", "rtsps://cam/1", "https://cam/1", "http://cam/1"].map(allowed)).toEqual(["tcp", "tcp,tls", "https,httpproxy,tcp,tls", "http,https,httpproxy,tcp,tls"]);
  });

  it.each(["ftp://cam/1", "concat://a|b", "udp://239.0.0.1:1234", "http://", "rtsp://cam/a b", "http://cam:99999/"])("%s is refused", async (address) => {
    await expect(findVideoSource(address)).rejects.toMatchObject({ code: "invalid_argument" });
  });

  it("name and password of an address, and its query, are told to nobody", () => {
    const { name, quote } = networkSource("rtsp://ada:s%40crets@cam:554/door?token=abcdef");
    expect(name).toBe("rtsp://cam:554/door");
    expect(quote("[rtsp @ 0x55d] rtsp://ada:s%40crets@cam:554/door?token=abcdef: 401\ns%40crets s@crets token=abcdef tcp://ada:other@cam\n")).toBe("rtsp://cam:554/door: 401; … … … tcp://cam");
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
}

/** As the kernel says: whoever tries would be the one viewer that ffmpeg serves. */
async function listens(port: number): Promise<boolean> {
  return new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A `).test(await readFile("/proc/net/tcp", "utf8"));
}

describe("a stream", () => {
  it("says what is wrong when nothing can be seen", async () => {
    await writeFile(join(home, "text.mp4"), "words");
    await using camera = await MjpegCamera.start(1);
    const message = (source: string) => VideoStream.open(source).then(() => "opened", (error: Error & { code: string }) => `${error.code}: ${error.message}`); // prettier-ignore
    expect(await message(join(home, "none.mp4"))).toMatch(/^invalid_argument: .*none\.mp4 cannot be read/);
    expect(await message(join(home, "text.mp4"))).toMatch(/^stream_unavailable: .*no video that ffmpeg can read/);
    const missing = await message(camera.url.replace("/live", "/dead"));
    expect(missing).toMatch(/^stream_unavailable: Expected pictures from http:\/\/127\.0\.0\.1:\d+\/dead but ffmpeg says: .*has no such stream/);
    expect(missing).not.toContain("sesame");
    expect(await message("http://127.0.0.1:9/live")).toMatch(/^stream_unavailable: .*Nothing listens there/);
    vi.stubEnv("PATH", home);
    expect(await message(camera.url)).toMatch(/^dependency_missing: .*ffmpeg.*Install it/);
  });

  it("a playlist leads nowhere else", async () => {
    await writeFile(join(home, "list.mp4"), `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n`);
    await expect(VideoStream.open(join(home, "list.mp4"))).rejects.toMatchObject({ code: "stream_unavailable", message: expect.stringContaining("is not followed") as string });
  });

  it("a file is played at its own speed to its end, and its last scene is what is left", async () => {
    const file = join(home, "scenes.mp4");
    await run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=red:size=160x120:rate=10:duration=1,format=yuv420p", "-f", "lavfi", "-i", "color=blue:size=160x120:rate=10:duration=1,format=yuv420p", "-filter_complex", "[0][1]concat", file]);
    const startMs = performance.now();
    await using stream = await VideoStream.open(file, { maxSidePx: 80 });
    await stream.ended;
    // `-re` may be late on a busy machine but never early: the last of twenty frames comes after 1.9 s.
    expect(performance.now() - startMs).toBeGreaterThan(1_800);
    const { data, info } = await sharp(stream.frames.newest!.jpeg).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([80, 60]);
    expect([data[0]! < 60, data[1]! < 60, data[2]! > 200]).toEqual([true, true, true]);
  });

  it("that is dropped, or stalls, comes back; one that stays away is given up; no ffmpeg is left", { timeout: 5 * LIMIT_MS }, async () => {
    await using camera = await MjpegCamera.start(1);
    const events: StreamEvent[] = [];
    const shows = (number: number) => until(`${number} is seen`, async () => (await numberIn(stream.frames.newest!.jpeg)) === number, LIMIT_MS);
    const told = (type: string, count: number) => until(`${type} was told ${count} times`, () => events.filter((event) => event.type === type).length === count, LIMIT_MS);
    await using stream = await VideoStream.open(camera.url, { stallMs: 4_000, retries: 2, onEvent: (event) => events.push(event) });
    await shows(1);
    camera.drop();
    await told("lost", 1);
    await camera.show(2);
    await shows(2);
    camera.stall(true);
    await told("lost", 2);
    camera.stall(false);
    await camera.show(3);
    await shows(3);
    expect(events.map(({ type }) => type)).toEqual(["lost", "back", "lost", "back"]);
    expect(events[2]).toMatchObject({ message: expect.stringContaining("none came for 4 s") as string, retryInMs: 500 });
    expect(camera.connections).toBe(3);
    await camera[Symbol.asyncDispose]();
    await expect(stream.ended).rejects.toMatchObject({ code: "stream_unavailable", message: expect.stringMatching(/Nothing listens there.* It did not come back in 2 tries\.$/) as string });
    expect(events.slice(4)).toMatchObject([{ type: "lost", retryInMs: 500 }, { type: "lost", retryInMs: 1_000 }]);
    expect(JSON.stringify(events)).not.toContain("sesame");
    await until("ffmpeg has ended", () => descendantsOf(process.pid).length === 0);
  });

  it("that ffmpeg serves itself, a picture every two seconds, is slow and not lost", { timeout: 3 * LIMIT_MS }, async () => {
    const port = await freePort();
    const camera = spawn("ffmpeg", ["-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "smptebars=size=640x480:rate=0.5", "-f", "mpjpeg", "-listen", "1", `http://127.0.0.1:${port}/live`], { stdio: "ignore" });
    const events: StreamEvent[] = [];
    try {
      await until("ffmpeg listens", () => listens(port), LIMIT_MS);
      await using stream = await VideoStream.open(`http://127.0.0.1:${port}/live`, { onEvent: (event) => events.push(event) });
      const first = stream.frames.newest!;
      await until("another picture has come", () => stream.frames.newest!.number > first.number, LIMIT_MS);
      // The fourth of seven bars.
      const [r, g, b] = await sharp(stream.frames.newest!.jpeg).extract({ left: 320, top: 100, width: 1, height: 1 }).raw().toBuffer();
      expect([r! < 60, g! > 150, b! < 60]).toEqual([true, true, true]);
      expect(events).toEqual([]);
    } finally {
      camera.kill("SIGKILL");
    }
  });

  it("over RTSP is seen, survives a dropped connection, and ends when it is disposed", { timeout: 3 * LIMIT_MS }, async () => {
    await using camera = await RtspCamera.start("color=lime:size=160x120:rate=10");
    const events: StreamEvent[] = [];
    await using stream = await VideoStream.open(camera.url, { onEvent: (event) => events.push(event) });
    const [r, g, b] = await sharp(stream.frames.newest!.jpeg).extract({ left: 80, top: 60, width: 1, height: 1 }).raw().toBuffer();
    expect([r! < 60, g! > 200, b! < 60]).toEqual([true, true, true]);
    camera.drop();
    await until("it is back", () => events.some(({ type }) => type === "back"), LIMIT_MS);
    await stream[Symbol.asyncDispose]();
    await expect(stream.ended).resolves.toBeUndefined();
  });
});
