import { DeskhandError, isDeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";

export interface DownloadOptions {
  signal?: AbortSignal;
  timeoutMs: number;
  maxBytes: number;
}

/**
 * Downloads a picture over http(s) for someone who may reach whatever this machine reaches. What a server's client names needs the server's
 * own, stricter downloader.
 *
 * @throws DeskhandError `invalid_image` (the server's refusal, or no server), `image_too_large`, `timeout`, `cancelled`.
 */
export async function downloadImage(url: URL, { signal, timeoutMs, maxBytes }: DownloadOptions): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout, headers: { accept: "image/*" } });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw new DeskhandError("invalid_image", `Expected a picture at ${where(url)} but the server answered ${response.status}. Check the address; it must be readable without signing in.`);
    }
    return await readAtMost(response.body, maxBytes, url);
  } catch (error) {
    throwIfAborted(signal);
    if (isDeskhandError(error)) throw error;
    if (timeout.aborted) {
      throw new DeskhandError("timeout", `Expected the picture at ${where(url)} within ${timeoutMs / 1000} s but it did not arrive. Try again, or give the file itself.`, { cause: error });
    }
    throw new DeskhandError("invalid_image", `Expected a picture at ${where(url)} but the download failed: ${causeOf(error)}. Check the address, or give the file itself.`, { cause: error });
  }
}

/** Leaving the loop by an error cancels the download. */
async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > maxBytes) {
      throw new DeskhandError("image_too_large", `Expected a picture file of at most ${maxBytes} bytes but ${where(url)} has more. Scale it down or compress it.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** `fetch` says only "fetch failed" and puts the reason, such as a refused connection, into the cause. */
function causeOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}

/** A URL as a message may show it: queries often carry signatures and tokens. */
function where(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
