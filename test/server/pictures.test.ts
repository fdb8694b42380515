import { describe, expect, it } from "vitest";
import { isPublicAddress } from "../../src/server/pictures/public-address.js";
import { localServer, PNG, PNG_URI, scriptedApp } from "./support.js";

const ask = (...urls: string[]) => ({ model: "scripted", messages: [{ role: "user", content: urls.map((url) => ({ type: "image_url", image_url: { url } })) }] });
/** Stands in for the public internet, of which a test machine has nothing: 127.0.0.1 counts as public, every other address as it is. */
const isAllowedAddress = (address: string) => address === "127.0.0.1" || isPublicAddress(address);

describe("addresses", () => {
  it.each(["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1",
    "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "not an address"])(
    "%s is not public", (address) => expect(isPublicAddress(address)).toBe(false));
  it.each(["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8"])("%s is public", (address) => expect(isPublicAddress(address)).toBe(true));
});

describe("a picture URL", () => {
  it.each(["http://127.0.0.1:1/a.png", "http://localhost:1/a.png", "http://[::1]:1/", "http://0x7f.1:1/", "http://2130706433:1/", "http://169.254.169.254/latest/meta-data",
    "http://[::ffff:127.0.0.1]:1/", "http://192.168.0.1/", "https://10.0.0.1/"])("%s is refused without a connection", async (url) => {
    await using server = await scriptedApp([]);
    const refusal = await server.refusal(ask(PNG_URI, url));
    expect(refusal).toMatchObject({ status: 400, code: "forbidden_url", param: "messages[0].content[1].image_url.url" });
    expect(refusal.message).toContain("--allow-private-urls");
  });

  it.each(["file:///etc/passwd", "/etc/passwd", "C:\\a.png", "ftp://example.org/a.png", "gopher://x", "http://user:pass@example.org/a.png"])("%s is refused by its form", async (url) => {
    await using server = await scriptedApp([]);
    expect(await server.refusal(ask(url))).toMatchObject({ status: 400, code: "forbidden_url" });
  });

  it("is downloaded, once when given twice, and reaches the engine as bytes in its place", async () => {
    let hits = 0;
    await using site = await localServer((_request, response) => {
      hits++;
      response.setHeader("content-type", "image/png").end(PNG);
    });
    await using server = await scriptedApp(["seen"], { isAllowedAddress });
    await server.answer(ask(`${site.url}/a.png`, PNG_URI, `${site.url}/a.png`));
    const image = { type: "image", image: PNG };
    expect(server.engine.requests[0]?.messages[0]?.content).toEqual([image, image, image]);
    expect(hits).toBe(1);
  });

  it("may redirect to an allowed address, but not to a private one, nor to another scheme", async () => {
    let isPrivateReached = false;
    await using hidden = await localServer((_request, response) => {
      isPrivateReached = true;
      response.setHeader("content-type", "image/png").end(PNG);
    }, "127.0.0.2");
    await using site = await localServer((request, response) => {
      const to = { "/ok": "/a.png", "/private": `${hidden.url}/a.png`, "/file": "file:///etc/passwd", "/loop": "/loop" }[request.url ?? ""];
      if (to) response.writeHead(302, { location: to }).end();
      else response.setHeader("content-type", "image/png").end(PNG);
    });
    await using server = await scriptedApp(["ok"], { isAllowedAddress });
    await server.answer(ask(`${site.url}/ok`));
    for (const path of ["/private", "/file", "/loop"]) {
      expect(await server.refusal(ask(`${site.url}${path}`))).toMatchObject({ status: 400, code: "forbidden_url" });
    }
    expect(isPrivateReached).toBe(false);
  });

  it("is refused when it is too large, announced or not, or no picture, or gone, or slow", async () => {
    await using site = await localServer((request, response) => {
      response.setHeader("content-type", request.url === "/page" ? "text/html" : "image/png");
      if (request.url === "/gone") response.writeHead(404).end();
      else if (request.url === "/page") response.end("<html>");
      else if (request.url === "/announced") response.setHeader("content-length", 5000).end(Buffer.alloc(5000));
      else if (request.url === "/gzip") response.setHeader("content-encoding", "gzip").end("x");
      else if (request.url === "/endless") {
        const more = () => response.write(Buffer.alloc(500), () => setImmediate(more));
        more();
      } else response.write("never ends");
    });
    await using server = await scriptedApp([], { isAllowedAddress, limits: { maxPictureBytes: 1000, pictureTimeoutMs: 300 } });
    const code = async (path: string) => (await server.refusal(ask(`${site.url}${path}`))).code;
    expect(await code("/announced")).toBe("image_too_large");
    expect(await code("/endless")).toBe("image_too_large");
    expect(await code("/page")).toBe("invalid_image");
    expect(await code("/gone")).toBe("invalid_image");
    expect(await code("/gzip")).toBe("invalid_image");
    expect(await code("/slow")).toBe("invalid_image");
    expect((await server.refusal(ask("http://127.0.0.1:1/refused"))).code).toBe("invalid_image");
  });

  it("counts towards limits of the whole request", async () => {
    await using site = await localServer((_request, response) => {
      response.setHeader("content-type", "image/png").end(Buffer.alloc(900));
    });
    await using server = await scriptedApp([], { isAllowedAddress, limits: { maxPictures: 3, maxBodyBytes: 2000 } });
    expect(await server.refusal(ask(`${site.url}/1`, `${site.url}/2`, `${site.url}/3`))).toMatchObject({ status: 413, code: "request_too_large" });
    expect(await server.refusal(ask("x", "x", "x", "x"))).toMatchObject({ status: 400, param: "messages[0].content[3].image_url.url" });
  });
});

describe("a data URI", () => {
  it("may be wrapped into lines, and carry parameters", async () => {
    const wrapped = PNG.toString("base64").replace(/(.{20})/g, "$1\r\n");
    await using server = await scriptedApp(["ok"]);
    await server.answer(ask(`data:image/png;name=a.png;base64,${wrapped}`));
    expect(server.engine.requests[0]?.messages[0]?.content).toEqual([{ type: "image", image: PNG }]);
  });

  it("is refused beyond the picture limit", async () => {
    await using server = await scriptedApp([], { limits: { maxPictureBytes: 1000 } });
    const uri = `data:image/png;base64,${Buffer.alloc(1001).toString("base64")}`;
    expect(await server.refusal(ask(uri))).toMatchObject({ status: 400, code: "image_too_large" });
  });
});
