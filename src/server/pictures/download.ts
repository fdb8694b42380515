import { request, type Agent, type Dispatcher } from "undici";
import { DeskhandError, isDeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";
import type { ServerLimits } from "../limits.js";
import { isOfKind, maxBytesOf, type MediaKind } from "./kinds.js";
import { createGuardedAgent, type AddressPolicy } from "./public-address.js";

export type DownloadLimits = Pick<ServerLimits, "maxPictureBytes" | "maxMediaBytes" | "maxRedirects">;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Downloads pictures, sounds and videos for requests, from addresses the policy allows. */
export class PictureDownloader {
  readonly #agent: Agent;
  readonly #limits: DownloadLimits;

  constructor(limits: DownloadLimits, isAllowed: AddressPolicy) {
    this.#limits = limits;
    this.#agent = createGuardedAgent(isAllowed);
  }

  /** Bytes of what is at an http(s) URL. Throws `forbidden_url`, `image_too_large`, the kind's error or `cancelled`. */
  async download(url: string, kind: MediaKind, options: { signal: AbortSignal; deadline: AbortSignal }): Promise<Uint8Array> {
    const { signal, deadline } = options;
    try {
      return await this.#follow(httpUrl(url, kind), kind, AbortSignal.any([signal, deadline]));
    } catch (error) {
      throwIfAborted(signal);
      if (isDeskhandError(error)) throw error;
      const reason = deadline.aborted ? "it took too long" : messageOf(error);
      throw new DeskhandError(kind.code, `the ${kind.noun} could not be downloaded: ${reason}.`, { cause: error });
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #follow(start: URL, kind: MediaKind, signal: AbortSignal): Promise<Uint8Array> {
    let url = start;
    for (let hop = 0; hop <= this.#limits.maxRedirects; hop++) {
      const response = await request(url, {
        dispatcher: this.#agent,
        signal,
        // Compressed bodies could grow beyond every limit; media are compressed already.
        headers: { accept: "*/*", "accept-encoding": "identity", "user-agent": "deskhand" },
      });
      const location = REDIRECTS.has(response.statusCode) ? headerOf(response, "location") : undefined;
      if (location === undefined) return await this.#read(response, kind);
      await response.body.dump();
      url = httpUrl(location, kind, url);
    }
    throw new DeskhandError("forbidden_url", `expected at most ${this.#limits.maxRedirects} redirects but there were more. Send the URL they lead to.`);
  }

  async #read(response: Dispatcher.ResponseData, kind: MediaKind): Promise<Uint8Array> {
    const maxBytes = maxBytesOf(kind, this.#limits);
    try {
      if (response.statusCode !== 200) throw new DeskhandError(kind.code, `expected a ${kind.noun} but the URL answers with status ${response.statusCode}.`);
      const type = headerOf(response, "content-type") ?? "application/octet-stream";
      const encoding = headerOf(response, "content-encoding") ?? "identity";
      if (!isOfKind(type, kind) || encoding !== "identity") {
        throw new DeskhandError(kind.code, `expected a ${kind.noun} but the URL answers with ${type} (encoding ${encoding}).`);
      }
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        size += chunk.length;
        if (size > maxBytes) {
          throw new DeskhandError("image_too_large", `expected at most ${maxBytes} bytes a ${kind.noun} but the URL sends more. Send it smaller or compressed.`);
        }
        chunks.push(chunk);
      }
      return Buffer.concat(chunks, size);
    } finally {
      response.body.destroy();
    }
  }
}

/** Parses a URL that may be fetched at all. */
function httpUrl(text: string, { noun }: MediaKind, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new DeskhandError("forbidden_url", `expected a data: or http(s) URL but received ${describe(text)}. Paths and file: URLs are not read; send the ${noun} as a data URI.`);
  }
  if (url.username || url.password) throw new DeskhandError("forbidden_url", "expected a URL without a user name and password. Send it as a data URI.");
  return url;
}

function describe(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0];
  return scheme ? `a ${scheme} URL` : "something that is no URL";
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
