import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import sharp, { type Sharp } from "sharp";
import { afterEach, describe, expect, it } from "vitest";
import { decodeImage } from "../../src/engine/image/decode.js";
import { readImageSource } from "../../src/engine/image/source.js";
import { goldenJson, goldenPath, goldenTensors } from "./support/golden.js";

const { tolerance } = await goldenJson<{ tolerance: Record<string, number> }>("pictures/decode.json");
const expected = await goldenTensors("pictures/decode.safetensors");

function rgb(widthPx: number, heightPx: number, color = "#ff0000"): Sharp {
  return sharp({ create: { width: widthPx, height: heightPx, channels: 3, background: color } });
}

describe("decodeImage", () => {
  it.each(Object.entries(tolerance))("shows what is in %s (within %i levels of Pillow)", async (name, within) => {
    const { shape, bytes } = expected.get(name)!;
    const { data, widthPx, heightPx } = await decodeImage(await readFile(goldenPath(`pictures/decode/${name}`)));
    expect([heightPx, widthPx, 3]).toEqual(shape);
    expect(data.length).toBe(bytes.length);
    expect(data.reduce((max, level, i) => Math.max(max, Math.abs(level - bytes[i]!)), 0)).toBeLessThanOrEqual(within);
  });

  it("decodes 16-bit colour, CMYK, TIFF and AVIF", async () => {
    const deep = await rgb(8, 4, "#4080c0").toColourspace("rgb16").png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe("ushort");
    const cmyk = await rgb(8, 4, "#4080c0").toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
    const tiff = await rgb(8, 4, "#4080c0").tiff().toBuffer();
    const avif = await rgb(8, 4, "#4080c0").avif({ quality: 100, chromaSubsampling: "4:4:4" }).toBuffer();
    // The profile conversion to CMYK and back cannot keep every colour; lossy codecs keep a flat one nearly.
    for (const [bytes, within] of [[deep, 0], [tiff, 0], [cmyk, 16], [avif, 3]] as const) {
      const { data, widthPx, heightPx } = await decodeImage(bytes);
      expect([widthPx, heightPx, data.length]).toEqual([8, 4, 96]);
      [0x40, 0x80, 0xc0].forEach((level, channel) => expect(Math.abs(data[channel]! - level)).toBeLessThanOrEqual(within));
    }
  });

  it("takes the first frame of an animation", async () => {
    const frames = Buffer.concat([Buffer.alloc(8 * 4 * 3, 0), Buffer.alloc(8 * 4 * 3, 255)]);
    for (const format of ["gif", "webp"] as const) {
      const animated = await sharp(frames, { raw: { width: 8, height: 8, channels: 3, pageHeight: 4 } }).toFormat(format, { loop: 0, lossless: true }).toBuffer(); // prettier-ignore
      expect((await sharp(animated).metadata()).pages).toBe(2);
      const { data, heightPx } = await decodeImage(animated);
      expect(heightPx).toBe(4);
      expect(data.every((level) => level === 0)).toBe(true);
    }
  });

  it("leaves pixels alone whatever colour profile the file names, as the models' training did", async () => {
    const png = await rgb(4, 4, "#30a060").withIccProfile("p3").png().toBuffer();
    const stored = await sharp(png, { ignoreIcc: true }).raw().toBuffer();
    expect([...(await decodeImage(png)).data]).toEqual([...stored]);
  });

  it("refuses a picture of 100 megapixels before decoding it", async () => {
    const huge = await rgb(10_000, 10_000).png({ compressionLevel: 9 }).toBuffer();
    await expect(decodeImage(huge)).rejects.toMatchObject({ code: "image_too_large", status: 400, message: expect.stringMatching(/64 megapixels.*10000×10000.*100 megapixels/s) as string });
    await expect(decodeImage(await rgb(20, 10).png().toBuffer(), { maxPixels: 199 })).rejects.toMatchObject({ code: "image_too_large" });
  });

  it.each([
    ["text", Buffer.from("hello, this is not a picture"), /begin with 68656c6c/],
    ["an error page", Buffer.from("<!DOCTYPE html><html><body>404"), /HTML page/],
    ["nothing", new Uint8Array(), /empty/],
    ["a vector drawing", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), /svg document/],
  ])("refuses %s", async (_what, bytes, message) => {
    await expect(decodeImage(bytes)).rejects.toMatchObject({ code: "invalid_image", message: expect.stringMatching(message) as string });
  });

  it("refuses a picture that is cut short", async () => {
    const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 2654435761) % 256));
    for (const format of ["png", "jpeg", "webp"] as const) {
      const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } }).toFormat(format).toBuffer();
      await expect(decodeImage(whole.subarray(0, whole.length / 2)), format).rejects.toMatchObject({ code: "invalid_image" });
    }
  });

  it("stops when cancelled", async () => {
    await expect(decodeImage(await rgb(4, 4).png().toBuffer(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("readImageSource", () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
  });

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener);
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const bytes = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 128]);

  it("reads bytes, paths, file: URLs and data: URLs", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "deskhand-source-")), "a b#ü.png");
    await writeFile(path, bytes);
    const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    for (const source of [bytes, path, pathToFileURL(path), pathToFileURL(path).href, `data:image/png;base64,${bytes.toString("base64")}`, `DATA:image/png;charset=x;base64,${bytes.toString("base64url")}`, `data:image/png,${percent}`]) {
      expect(Buffer.from(await readImageSource(source)).equals(bytes), String(source)).toBe(true);
    }
  });

  it("downloads, following redirects", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/from") response.writeHead(302, { location: "/to" }).end();
      else response.end(bytes);
    });
    expect(Buffer.from(await readImageSource(`${url}/from`)).equals(bytes)).toBe(true);
    expect(Buffer.from(await readImageSource(new URL(`${url}/to`))).equals(bytes)).toBe(true);
  });

  it("says what is wrong with a source, in few words", async () => {
    const url = await serve((_request, response) => response.writeHead(404).end());
    const fails = async (source: string | Uint8Array, code: string, message: RegExp): Promise<void> => {
      const error = await readImageSource(source, { maxBytes: 1000 }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
      expect((error as Error).message.length).toBeLessThan(400);
    };
    await fails("/no/such/picture.png", "invalid_image", /no such file/);
    await fails(tmpdir(), "invalid_image", /not a regular file/);
    await fails("iVBORw0KGgo".repeat(1000), "invalid_image", /data:image\/png;base64/);
    await fails("data:image/png;base64", "invalid_image", /without a comma/);
    await fails(`data:image/png;base64,${"A".repeat(20_000)}`, "image_too_large", /1000 bytes/);
    await fails(new Uint8Array(1001), "image_too_large", /1000 bytes but received 1001/);
    await fails(`${url}/gone.png?secret=abc`, "invalid_image", /answered 404/);
    await fails("http://127.0.0.1:9/x.png", "invalid_image", /download failed/);
    const error = (await readImageSource(`${url}/gone.png?secret=abc`).catch((caught: unknown) => caught)) as Error;
    expect(error.message).not.toContain("secret");
  });

  it("bounds a download in size and time", async () => {
    const url = await serve((request, response) => {
      response.writeHead(200);
      response.write(Buffer.alloc(100_000));
      if (request.url === "/endless") setInterval(() => response.write(Buffer.alloc(100_000)), 1).unref();
    });
    await expect(readImageSource(`${url}/endless`, { maxBytes: 500_000 })).rejects.toMatchObject({ code: "image_too_large" });
    await expect(readImageSource(`${url}/stuck`, { timeoutMs: 100 })).rejects.toMatchObject({ code: "timeout" });
    const controller = new AbortController();
    const reading = readImageSource(`${url}/stuck`, { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(reading).rejects.toMatchObject({ code: "cancelled" });
  });
});
