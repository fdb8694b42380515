import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readMedia } from "../../src/engine/media.js";
import type { VideoSource } from "../../src/engine/messages.js";
import { ffmpegOutput } from "../../src/engine/video/ffmpeg.js";
import { QwenVLVideoProcessor } from "../../src/engine/video/qwen-vl-video-processor.js";
import type { SampledVideo } from "../../src/engine/video/read.js";
import { PICTURE_SAMPLER, type VideoSampler, type VideoSampling } from "../../src/engine/video/sampling.js";

// Videos of files as people have them, whole and broken, made by ffmpeg; of servers; and of lists of pictures.

const FILM = fileURLToPath(new URL("../golden/fixtures/videos/steady.mkv", import.meta.url));
const PICTURES = fileURLToPath(new URL("../golden/fixtures/pictures/", import.meta.url));
const run = promisify(execFile);

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "deskhand-video-"))));
afterAll(() => rm(dir, { recursive: true }));

/** A file made by ffmpeg of these arguments. */
async function made(name: string, ...args: string[]): Promise<string> {
  const path = join(dir, name);
  await run("ffmpeg", ["-v", "error", "-y", ...args, path]);
  return path;
}

const PATTERN = (options: string): string[] => ["-f", "lavfi", "-i", `testsrc2=s=64x48:${options}`];

async function read(video: VideoSource, wish: VideoSampling = {}, { sampler = PICTURE_SAMPLER, ...options }: { sampler?: VideoSampler; signal?: AbortSignal; contextLength?: number } = {}): Promise<SampledVideo> {
  const { videos } = await readMedia({ images: [], audio: [], videos: [{ video, ...wish }] }, { video: sampler, ...options });
  return videos![0]!;
}

/** What is told to somebody who gives this. */
async function refusal(video: VideoSource, wish?: VideoSampling): Promise<string> {
  const error: unknown = await read(video, wish).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "unsupported_input" });
  return (error as Error).message;
}

/** Names of the processes that this one has started and that still run (proc(5)). */
async function runningChildren(): Promise<string[]> {
  const names: string[] = [];
  for (const pid of await readdir("/proc")) {
    const status = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/status`, "utf8").catch(() => "") : "";
    if (status.includes(`\nPPid:\t${process.pid}\n`)) names.push(/^Name:\t(.*)$/m.exec(status)![1]!);
  }
  return names;
}

describe("files", () => {
  it("without sound, with sound, by path and by URL, are the same film", async () => {
    const sound = await made("sound.mkv", "-i", FILM, "-f", "lavfi", "-i", "sine=d=3", "-c:v", "copy");
    const silent = await read(FILM);
    expect(silent).toMatchObject({ totalFrames: 24, fps: 8, indices: [0, 5, 9, 14, 18, 23] });
    expect((await read(sound)).key).toBe(silent.key);
    expect((await read(pathToFileURL(FILM))).key).toBe(silent.key);
  });

  it("of one frame are that frame", async () => {
    const one = await made("one.mp4", ...PATTERN("d=1"), "-frames:v", "1");
    expect(await read(one)).toMatchObject({ totalFrames: 1, indices: [0] });
    for (const generation of ["qwen2", "qwen3"] as const) {
      const sampler = new QwenVLVideoProcessor({ patch_size: 8 }, generation);
      const { gridThw, timesS } = sampler.process(await read(one, {}, { sampler }));
      expect([gridThw[0], timesS]).toEqual([1, [0]]);
    }
  });

  it("of three hours give the frames asked for, and nothing else is held", async () => {
    const long = await made("long.mp4", ...PATTERN("r=1:d=10800"), "-c:v", "libx264", "-preset", "ultrafast");
    const before = process.memoryUsage().arrayBuffers;
    const { totalFrames, fps, indices, frames } = await read(long);
    expect([totalFrames, fps, frames.length, indices[0], indices.at(-1)]).toEqual([10_800, 1, 32, 0, 10_799]);
    // Frames are 9 kB each; all of the film's would be 100 MB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10e6);
    const all = await read(long, {}, { sampler: new QwenVLVideoProcessor({}, "qwen3") });
    expect(all.frames).toHaveLength(768);
  }, 120_000);

  it("whose frames are trimmed away by an edit list count those that are shown", async () => {
    const whole = await made("whole.mp4", ...PATTERN("r=25:d=4"), "-c:v", "libx264", "-g", "25");
    const trimmed = await made("trimmed.mp4", "-ss", "1.4", "-i", whole, "-c", "copy");
    const { stdout } = await run("ffprobe", ["-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", trimmed]);
    expect((await read(trimmed)).totalFrames).toBe(Number(stdout));
  });

  it("that are not there, or no files, or empty, are named", async () => {
    expect(await refusal(join(dir, "none.mp4"))).toMatch(/none\.mp4.*there is no such file/);
    expect(await refusal(dir)).toMatch(/not a regular file/);
    await writeFile(join(dir, "empty.mp4"), "");
    expect(await refusal(join(dir, "empty.mp4"))).toMatch(/is empty/);
  });

  it("that are no videos are refused, texts and pictures too", async () => {
    await writeFile(join(dir, "text.txt"), "What ffmpeg would draw as a picture of text.\n");
    expect(await refusal(join(dir, "text.txt"))).toMatch(/Expected a video/);
    expect(await refusal(join(PICTURES, "gradient-96x64.png"))).toMatch(/single pictures are not read as videos/);
    expect(await refusal("rtsp://camera/1")).toMatch(/received a rtsp: URL/);
    expect(await refusal("data:video/mp4;base64,AAAA")).toMatch(/received a data: URL/);
  });

  it("with sound alone are refused, also with a cover", async () => {
    const sound = await made("sound.mp3", "-f", "lavfi", "-i", "sine=d=1");
    expect(await refusal(sound)).toMatch(/no video track/);
    const cover = await made("cover.mp3", "-i", sound, "-i", join(PICTURES, "gradient-96x64.png"), "-map", "0", "-map", "1", "-c:a", "copy", "-c:v", "copy", "-disposition:v", "attached_pic");
    expect(await refusal(cover)).toMatch(/no video track/);
  });

  it.each([
    ["in Matroska", "cut.mkv", ["-c", "copy"], 0.5],
    ["in AVI", "cut.avi", ["-c:v", "mjpeg"], 0.5],
    ["in MP4 whose index comes first", "cut.mp4", ["-c:v", "libx264", "-movflags", "+faststart"], 0.6],
    ["in MP4 whose index is lost", "lost.mp4", ["-c:v", "libx264"], 0.5],
    ["before its first frame", "head.mkv", ["-c", "copy"], 0.05],
  ])("cut short %s are refused", async (_where, name, codec, part) => {
    const path = await made(name, "-i", FILM, ...codec);
    await truncate(path, Math.floor((await readFile(path)).length * part));
    expect(await refusal(path)).toMatch(/cut short or damaged|moov atom not found|without frames/);
  });

  it("damaged in the middle are refused where frames are lost", async () => {
    const path = await made("damaged.mp4", ...PATTERN("r=5:d=4"), "-c:v", "libx264", "-movflags", "+faststart");
    const file = await open(path, "r+");
    await file.write(Buffer.alloc(20_000), 0, 20_000, Math.floor((await file.stat()).size / 4));
    await file.close();
    expect(await refusal(path)).toMatch(/cut short or damaged/);
  });

  it.each([
    ["playlist.m3u8", `#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n${FILM}\n#EXT-X-ENDLIST\n`],
    ["list.ffconcat", `ffconcat version 1.0\nfile ${FILM}\n`],
    ["renamed.mp4", `ffconcat version 1.0\nfile ${FILM}\n`],
  ])("that lead to other files are not followed: %s", async (name, text) => {
    await writeFile(join(dir, name), text);
    expect(await refusal(join(dir, name))).toMatch(/playlists, scripts, texts and single pictures are not read/);
  });
});

describe("what is asked of a video", () => {
  it("is how many frames a second, and how many at most", async () => {
    expect((await read(FILM, { fps: 4 })).indices).toEqual([0, 2, 4, 6, 8, 10, 13, 15, 17, 19, 21, 23]);
    expect((await read(FILM, { maxFrames: 3 })).indices).toEqual([0, 12, 23]);
    expect((await read(FILM, { fps: 240 })).indices).toHaveLength(24);
  });

  it.each([{ fps: 0 }, { fps: -1 }, { fps: NaN }, { fps: 241 }, { maxFrames: 0 }, { maxFrames: 1.5 }, { maxFrames: 4097 }])("is refused out of range: %o", async (wish) => {
    await expect(read(FILM, wish)).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringContaining(String(Object.values(wish)[0])) as string });
  });

  it("must fit into the model's context, and is refused before it is decoded", async () => {
    const sampler = new QwenVLVideoProcessor({}, "qwen2");
    await expect(read(FILM, {}, { sampler, contextLength: 100 })).rejects.toMatchObject({ code: "context_length_exceeded", message: expect.stringContaining("videoMaxFrames") as string });
  });

  it("is seen at its own size by models that do not resize, and refused where that does not fit", async () => {
    const sampler = (patch_size: number) => new QwenVLVideoProcessor({ patch_size, do_resize: false }, "qwen3");
    expect((await read(FILM, {}, { sampler: sampler(8) })).frames[0]).toMatchObject({ widthPx: 64, heightPx: 48 });
    await expect(read(FILM, {}, { sampler: sampler(14) })).rejects.toMatchObject({ code: "invalid_image", message: expect.stringContaining("multiples of 28") as string });
  });

  it("makes the key with what is seen: never shared by two films, nor by two ways to look at one", async () => {
    const other = await made("other.mkv", ...PATTERN("r=8:d=3"), "-c:v", "ffv1");
    const keys = await Promise.all([read(FILM), read(other), read(FILM, { fps: 4 }), read(FILM, { maxFrames: 2 }), read(FILM)].map(async (one) => (await one).key));
    expect(new Set(keys).size).toBe(4);
    expect(keys[4]).toBe(keys[0]);
  });
});

describe("lists of frames", () => {
  const frame = (level: number, widthPx = 4, heightPx = 2): { data: Uint8Array; widthPx: number; heightPx: number } => ({ data: new Uint8Array(widthPx * heightPx * 3).fill(level), widthPx, heightPx });

  it("without a rate are a choice already, two of them a second", async () => {
    const { fps, indices, frames } = await read({ frames: [0, 1, 2, 3, 4].map((level) => frame(level)) });
    expect({ fps, indices, levels: frames.map(({ data }) => data[0]) }).toEqual({ fps: 2, indices: [0, 1, 2, 3, 4], levels: [0, 1, 2, 3, 4] });
    expect((await read({ frames: [0, 1, 2, 3, 4].map((level) => frame(level)) }, { maxFrames: 3 })).indices).toEqual([0, 2, 4]);
    const keys = await Promise.all([undefined, 4, 8].map(async (fps) => (await read({ frames: [frame(0), frame(1)] }, { fps })).key));
    expect(new Set(keys).size).toBe(3);
  });

  it("with a rate are sampled as a film", async () => {
    const frames = Array.from({ length: 24 }, (_, level) => frame(level));
    expect((await read({ frames, fps: 8 })).indices).toEqual((await read(FILM)).indices);
  });

  it("hold pictures of any source", async () => {
    const path = join(PICTURES, "gradient-96x64.png");
    const { frames } = await read({ frames: [path, await readFile(path), pathToFileURL(path)] });
    expect(new Set(frames.map(({ data }) => Buffer.from(data).toString("latin1"))).size).toBe(1);
  });

  it("are refused empty, of several sizes, and with pixels that are not all there", async () => {
    await expect(read({ frames: [] })).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(read({ frames: [frame(0), frame(0, 2, 4)] })).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringMatching(/frame 1 has 2×4 pixels and frame 0 4×2/) as string });
    await expect(read({ frames: [{ data: new Uint8Array(5), widthPx: 4, heightPx: 2 }] })).rejects.toMatchObject({ code: "invalid_image" });
    await expect(read({ frames: [frame(0)], fps: 0 })).rejects.toMatchObject({ code: "invalid_argument" });
  });
});

describe("servers", () => {
  let server: Server;
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it("give films", async () => {
    const bytes = await readFile(FILM);
    const address = await serve((_, response) => response.end(bytes));
    expect((await read(`${address}/film.mkv?token=secret`)).key).toBe((await read(FILM)).key);
  });

  it("that have none are quoted, without the address's secrets", async () => {
    const address = await serve((_, response) => response.writeHead(404).end());
    const message = await refusal(`${address}/film.mkv?token=secret`);
    expect(message).toMatch(/404/);
    expect(message).not.toContain("secret");
  });

  it("cannot lead to files of this machine", async () => {
    const address = await serve((_, response) => response.end(`#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://${FILM}\n#EXT-X-ENDLIST\n`));
    expect(await refusal(`${address}/playlist.m3u8`)).toMatch(/playlists/);
    server.removeAllListeners("request").on("request", (_, response) => response.writeHead(302, { location: `file://${FILM}` }).end());
    await refusal(`${address}/film.mkv`);
  });

  it("that keep silent are left when the caller gives up, and no process stays", async () => {
    const abort = new AbortController();
    const address = await serve(() => abort.abort(new Error("enough")));
    await expect(read(`${address}/film.mkv`, {}, { signal: abort.signal })).rejects.toMatchObject({ code: "cancelled" });
    expect(await runningChildren()).not.toContain("ffprobe");
  });
});

describe("ffmpeg", () => {
  afterEach(() => vi.unstubAllEnvs());

  const install = async (script: string): Promise<void> => {
    for (const name of ["ffmpeg", "ffprobe"]) {
      await writeFile(join(dir, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(dir, name), 0o755);
    }
    vi.stubEnv("PATH", `${dir}:${process.env["PATH"]}`);
  };

  it("has to be there, and the error says how to get it", async () => {
    vi.stubEnv("PATH", join(dir, "nowhere"));
    await expect(read(FILM)).rejects.toMatchObject({ code: "dependency_missing", message: expect.stringMatching(/apt install ffmpeg.*brew install ffmpeg/) as string });
  });

  it("is ended when it hangs", async () => {
    await install("exec sleep 600");
    await expect(ffmpegOutput("ffmpeg", [], { silenceTimeoutMs: 50 }).next()).rejects.toMatchObject({ code: "timeout" });
    expect(await runningChildren()).not.toContain("sleep");
  });

  it("is ended when nobody reads on", async () => {
    await install("exec yes");
    const output = ffmpegOutput("ffmpeg", []);
    await output.next();
    expect(await runningChildren()).toContain("yes");
    await output.return({ status: null, message: "" });
    expect(await runningChildren()).not.toContain("yes");
  });
});
