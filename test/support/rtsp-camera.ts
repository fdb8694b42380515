import { spawn, type ChildProcess } from "node:child_process";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/**
 * A network camera on loopback, as RTSP (RFC 2326) inside one TCP connection. ffmpeg films, makes the RTP packets and describes them;
 * what is here passes them on to whoever plays.
 */
export class RtspCamera implements AsyncDisposable {
  readonly #server: Server;
  readonly #udp: UdpSocket;
  readonly #film: ChildProcess;
  readonly #viewers = new Set<Socket>();
  readonly #playing = new Set<Socket>();
  #description: string;

  private constructor(film: ChildProcess, udp: UdpSocket, description: string) {
    this.#film = film;
    this.#udp = udp;
    this.#description = description;
    this.#server = createServer((socket) => this.#meet(socket));
    udp.on("message", (packet) => {
      const head = Buffer.from([0x24, 0, packet.length >> 8, packet.length & 0xff]);
      for (const viewer of this.#playing) viewer.write(Buffer.concat([head, packet]));
    });
  }

  /** @param filter what it films, e.g. `testsrc=size=160x120:rate=10` */
  static async start(filter: string): Promise<RtspCamera> {
    const udp = createSocket("udp4").bind(0, "127.0.0.1");
    await once(udp, "listening");
    const film = spawn("ffmpeg", ["-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", filter, "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "5", "-pix_fmt", "yuv420p", "-bsf:v", "dump_extra", "-f", "rtp", `rtp://127.0.0.1:${udp.address().port}?pkt_size=1200`], { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    for await (const chunk of film.stdout.setEncoding("utf8")) {
      printed += chunk as string;
      if (printed.includes("a=fmtp") || printed.includes("a=rtpmap")) break;
    }
    const camera = new RtspCamera(film, udp, printed.replace(/^SDP:\s*/, "").trim());
    camera.#server.listen(0, "127.0.0.1");
    await once(camera.#server, "listening");
    return camera;
  }

  get url(): string {
    return `rtsp://127.0.0.1:${(this.#server.address() as AddressInfo).port}/live`;
  }

  drop(): void {
    for (const viewer of this.#viewers) viewer.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#film.kill("SIGKILL");
    this.drop();
    this.#server.close();
    await once(this.#server, "close");
    this.#udp.close();
  }

  #meet(socket: Socket): void {
    this.#viewers.add(socket);
    let text = "";
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#viewers.delete(socket);
      this.#playing.delete(socket);
    });
    socket.setEncoding("latin1").on("data", (chunk) => {
      text += chunk.toString();
      for (let end = text.indexOf("\r\n\r\n"); end !== -1; end = text.indexOf("\r\n\r\n")) {
        // The viewer's own reports stand between its requests.
        this.#answer(socket, text.slice(Math.max(0, text.search(/[A-Z_]{4,} rtsp:/)), end));
        text = text.slice(end + 4);
      }
    });
  }

  #answer(socket: Socket, request: string): void {
    const [, method = "", address = ""] = /^([A-Z_]+) (\S+)/.exec(request) ?? [];
    const more: Record<string, string> = {
      OPTIONS: "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
      DESCRIBE: `Content-Base: ${address}/\r\nContent-Type: application/sdp\r\nContent-Length: ${this.#description.length + 2}\r\n`,
      SETUP: "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n",
      PLAY: "Session: 1\r\n",
    };
    const sequence = /^CSeq: *(\d+)/im.exec(request)?.[1];
    socket.write(`RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\n${more[method] ?? ""}\r\n${method === "DESCRIBE" ? `${this.#description}\r\n` : ""}`);
    if (method === "PLAY") this.#playing.add(socket);
  }
}
