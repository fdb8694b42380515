import { lookup as dnsLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { Agent, request, type Dispatcher } from "undici";
import { DeskhandError, isDeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";

export interface DownloadOptions {
  signal?: AbortSignal;
  timeoutMs: number;
  maxBytes: number;
  /** Refuse addresses that are not on the public internet, also after DNS and redirects. */
  publicOnly: boolean;
}

const MAX_REDIRECTS = 5;

/** Addresses a stranger's URL must not reach from here: this host, its networks, and ranges that stand for them. */
const NOT_PUBLIC = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8], ["10.0.0.0", 8], ["100.64.0.0", 10], ["127.0.0.0", 8], ["169.254.0.0", 16], ["172.16.0.0", 12], ["192.0.0.0", 24],
  ["192.0.2.0", 24], ["192.168.0.0", 16], ["198.18.0.0", 15], ["198.51.100.0", 24], ["203.0.113.0", 24], ["224.0.0.0", 4], ["240.0.0.0", 4],
] as const) NOT_PUBLIC.addSubnet(net, prefix, "ipv4"); // prettier-ignore
for (const [net, prefix] of [
  ["::", 96], ["::ffff:0:0", 96], ["64:ff9b::", 96], ["64:ff9b:1::", 48], ["2001:db8::", 32], ["2002::", 16], ["fc00::", 7], ["fe80::", 10], ["ff00::", 8],
] as const) NOT_PUBLIC.addSubnet(net, prefix, "ipv6"); // prettier-ignore

/** True for an address literal outside the public internet. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && NOT_PUBLIC.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** The check sits in the connection's own name lookup, so that a name cannot resolve to one address here and another one there. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    const hidden = addresses.find(({ address }) => isPrivateAddress(address));
    if (hidden) return callback(forbidden(hostname, hidden.address), []);
    if (options.all) return callback(null, addresses);
    const first = addresses[0];
    return first ? callback(null, first.address, first.family) : callback(new Error(`no address for ${hostname}`), []);
  });
};

/**
 * Downloads a picture over http(s), following at most five redirects.
 * @throws DeskhandError `forbidden_url`, `image_too_large`, `invalid_image` (the server's refusal, or no server), `timeout`, `cancelled`.
 */
export async function downloadImage(url: URL, options: DownloadOptions): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const dispatcher = new Agent(options.publicOnly ? { connect: { lookup: publicLookup } } : {});
  try {
    return await follow(url, dispatcher, signal, options);
  } catch (error) {
    throwIfAborted(options.signal);
    if (timeout.aborted) {
      throw new DeskhandError("timeout", `Expected the picture at ${where(url)} within ${options.timeoutMs / 1000} s but it did not arrive. Try again, or send the picture itself as a data: URL.`, { cause: error });
    }
    if (isDeskhandError(error)) throw error;
    throw new DeskhandError("invalid_image", `Expected a picture at ${where(url)} but the download failed: ${messageOf(error)}. Check the address, or send the picture itself as a data: URL.`, { cause: error });
  } finally {
    await dispatcher.destroy();
  }
}

async function follow(start: URL, dispatcher: Dispatcher, signal: AbortSignal, { maxBytes, publicOnly }: DownloadOptions): Promise<Uint8Array> {
  let url = start;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    if (url.protocol !== "http:" && url.protocol !== "https:") throw new DeskhandError("forbidden_url", `Expected an http(s) address but ${where(start)} redirects to a ${url.protocol} address.`);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    if (publicOnly && isPrivateAddress(host)) throw forbidden(url.hostname, host);
    const { statusCode, headers, body } = await request(url, { dispatcher, signal, headers: { accept: "image/*", "user-agent": "deskhand" } });
    const location = headers["location"];
    if (statusCode >= 300 && statusCode < 400 && typeof location === "string") {
      url = new URL(location, url);
      // Reading to the end would let a redirect send unlimited data.
      body.destroy();
      continue;
    }
    if (statusCode !== 200) throw new DeskhandError("invalid_image", `Expected a picture at ${where(url)} but the server answered ${statusCode}. Check the address; it must be readable without signing in.`);
    return readAtMost(body, maxBytes, Number(headers["content-length"] ?? 0), url);
  }
  throw new DeskhandError("invalid_image", `Expected a picture at ${where(start)} but received more than ${MAX_REDIRECTS} redirects.`);
}

async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number, announced: number, url: URL): Promise<Uint8Array> {
  const tooLarge = (): DeskhandError =>
    new DeskhandError("image_too_large", `Expected a picture file of at most ${maxBytes} bytes but ${where(url)} has more. Scale it down or compress it.`);
  if (announced > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function forbidden(host: string, address: string): DeskhandError {
  const leads = host.includes(address) ? "" : ` (${address})`;
  return new DeskhandError("forbidden_url", `Expected a picture on the public internet but ${host}${leads} is a private address. Send the picture itself as a data: URL.`);
}

/** A URL as a message may show it: queries often carry signatures and tokens. */
function where(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
