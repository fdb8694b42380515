import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeRepo {
  sha: string;
  files: Record<string, Buffer>;
  /** Stored as large files, with a SHA-256, as weights are. */
  lfs?: string[];
  /** Listed for everyone, refused when read. */
  gated?: boolean;
}

/** A Hugging Face hub on the loopback interface: model info, file tree, and files by range, with failures on demand. */
export class FakeHub implements AsyncDisposable {
  url = "";
  readonly repos = new Map<string, FakeRepo>();
  readonly requests: { path: string; range?: string; authorization?: string }[] = [];
  /** Cut the connection after this many bytes of each large answer. */
  cutAfterBytes?: number;
  /** Send this many bytes of a large answer and then nothing more. */
  stallAfterBytes?: number;
  /** Send other bytes of the same length. */
  corrupt = false;
  /** Answer reads with a redirect to this origin, as the hub does to its content network. */
  redirectTo?: string;
  private server?: Server;

  async start(): Promise<this> {
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise<void>((resolve) => this.server!.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(new URL(request.url!, this.url).pathname);
    this.requests.push({ path, range: request.headers.range, authorization: request.headers.authorization });
    for (const [id, repo] of this.repos) {
      if (path === `/api/models/${id}/revision/main`) return json(response, { _id: "1", id, sha: repo.sha, private: false, downloads: 0, likes: 0, gated: repo.gated ?? false, lastModified: "2026-01-01T00:00:00.000Z" });
      if (path === `/api/models/${id}/tree/${repo.sha}`) return json(response, Object.keys(repo.files).map((name) => treeEntry(name, repo)));
      const file = path.startsWith(`/${id}/resolve/${repo.sha}/`) ? repo.files[path.slice(`/${id}/resolve/${repo.sha}/`.length)] : undefined;
      if (!file) continue;
      if (repo.gated) return json(response, { error: `Access to model ${id} is restricted.` }, 403);
      if (this.redirectTo && request.headers.range !== "bytes=0-0") return void response.writeHead(302, { location: `${this.redirectTo}${request.url}` }).end();
      return this.sendFile(file, request.headers.range, response);
    }
    // The hub does not tell a missing repository from a private one.
    json(response, { error: "Repository not found" }, path.startsWith("/api/") && !request.headers.authorization ? 401 : 404);
  }

  private sendFile(content: Buffer, range: string | undefined, response: ServerResponse): void {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
    const start = Number(first ?? 0);
    const end = last ? Number(last) + 1 : content.length;
    const body = Buffer.from(content.subarray(start, end));
    if (this.corrupt) body.reverse();
    const headers = { etag: '"x"', "content-length": body.length, ...(range ? { "content-range": `bytes ${start}-${end - 1}/${content.length}` } : {}) };
    response.writeHead(range ? 206 : 200, headers);
    const limit = this.cutAfterBytes ?? this.stallAfterBytes;
    if (limit === undefined || body.length <= limit) return void response.end(body);
    response.write(body.subarray(0, limit), () => {
      if (this.cutAfterBytes !== undefined) setTimeout(() => response.destroy(), 20);
    });
  }
}

function treeEntry(path: string, repo: FakeRepo): object {
  const content = repo.files[path]!;
  const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
  const lfs = repo.lfs?.includes(path) ? { lfs: { oid: createHash("sha256").update(content).digest("hex"), size: content.length, pointerSize: 134 } } : {};
  return { type: "file", path, size: content.length, oid, ...lfs };
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
