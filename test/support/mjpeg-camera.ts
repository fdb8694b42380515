import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { numberedPicture } from "./numbered-picture.js";

const BOUNDARY = "picture";
const INTERVAL_MS = 40;

/** A network camera on loopback, as MJPEG over HTTP: it shows a number, over and over, and fails as the test wants. */
export class MjpegCamera implements AsyncDisposable {
  readonly #server: Server;
  readonly #viewers = new Set<ServerResponse>();
  #picture: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;
  #isStalled = false;
  /** How often somebody has connected. */
  connections = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.connections += 1;
      if (request.url !== "/live") return void response.writeHead(404).end();
      response.writeHead(200, { "content-type": `multipart/x-mixed-replace;boundary=${BOUNDARY}` });
      this.#viewers.add(response);
      response.on("close", () => this.#viewers.delete(response));
    });
  }

  static async start(number: number): Promise<MjpegCamera> {
    const camera = new MjpegCamera();
    camera.#server.listen(0, "127.0.0.1");
    await once(camera.#server, "listening");
    await camera.show(number);
    camera.#timer = setInterval(() => camera.#send(), INTERVAL_MS);
    return camera;
  }

  get url(): string {
    return `http://viewer:open-sesame@127.0.0.1:${(this.#server.address() as AddressInfo).port}/live`;
  }

  /** From now on this, and at once. */
  async show(number: number): Promise<void> {
    this.#picture = await numberedPicture(number);
    this.#send();
  }

  /** Keeps its connections, but sends nothing more. */
  stall(isStalled: boolean): void {
    this.#isStalled = isStalled;
  }

  /** Ends its connections. */
  drop(): void {
    for (const viewer of this.#viewers) viewer.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #send(): void {
    if (this.#isStalled) return;
    for (const viewer of this.#viewers) {
      viewer.write(`--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${this.#picture.length}\r\n\r\n`);
      viewer.write(this.#picture);
      viewer.write("\r\n");
    }
  }
}
