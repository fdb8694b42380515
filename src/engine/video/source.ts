import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { FILM_FORMATS } from "../../core/film-formats.js";

/** A film as ffmpeg and ffprobe take it. */
export interface VideoInput {
  /** Options of the input, the address last. */
  args: readonly string[];
  /** For messages: without a URL's query, which may carry a token. */
  name: string;
  /** What ffmpeg said, on one line, with the address replaced by the name. */
  quote: (text: string) => string;
}

/** How long a server may keep ffmpeg waiting, in microseconds. */
const NETWORK_TIMEOUT_US = 30_000_000;

/**
 * A path, or a `file:` or `http(s):` URL. The caller is trusted: any file and any address is opened; but what is found there cannot
 * lead to further files, nor to other protocols.
 * @throws DeskhandError `unsupported_input` for other URLs and for what is no regular file.
 */
export async function openVideo(source: string | URL): Promise<VideoInput> {
  const text = String(source);
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https") return remote(text);
  if (scheme === "data" || (scheme !== "file" && /^[a-z][a-z0-9+.-]+:\/\//i.test(text))) {
    throw new DeskhandError("unsupported_input", `Expected a video as a path or as a file:, http: or https: URL but received a ${scheme}: URL. Save the video as a file first.`);
  }
  return local(scheme === "file" ? pathOf(text) : text);
}

function remote(text: string): VideoInput {
  const { protocol, host, pathname, href } = parsed(text);
  const name = `${protocol}//${host}${pathname}`;
  const args = ["-protocol_whitelist", "http,https,httpproxy,tcp,tls", "-format_whitelist", FILM_FORMATS, "-rw_timeout", String(NETWORK_TIMEOUT_US), "-i", href];
  return { args, name, quote: (message) => plain(message).replaceAll(href, name) };
}

async function local(path: string): Promise<VideoInput> {
  const name = path.length > 120 ? `"${path.slice(0, 100)}…" (${path.length} characters)` : `"${path}"`;
  try {
    const info = await stat(path);
    if (!info.isFile()) throw new DeskhandError("unsupported_input", `Expected a video file but ${name} is not a regular file. Give the path of an MP4, MKV, WebM, MOV or AVI file.`);
    if (info.size === 0) throw new DeskhandError("unsupported_input", `Expected a video file but ${name} is empty. Copy or download it again.`);
  } catch (cause) {
    if (cause instanceof DeskhandError) throw cause;
    const reason = cause instanceof Error && "code" in cause && cause.code === "ENOENT" ? "there is no such file" : messageOf(cause);
    throw new DeskhandError("unsupported_input", `Expected a path or a URL of a video but ${name} cannot be read: ${reason}.`, { cause });
  }
  const address = `file:${path}`;
  return { args: ["-protocol_whitelist", "file", "-format_whitelist", FILM_FORMATS, "-i", address], name, quote: (message) => plain(message).replaceAll(address, name) };
}

/** Without the addresses in memory that ffmpeg puts before its lines. */
function plain(message: string): string {
  return message.replaceAll(/^\[[^\]]* @ 0x[0-9a-f]+\] /gm, "").trim().replaceAll(/\s*\n\s*/g, "; ");
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new DeskhandError("unsupported_input", `Expected the URL of a video but received "${text.slice(0, 100)}", which is not a valid URL.`, { cause });
  }
}

function pathOf(text: string): string {
  try {
    return fileURLToPath(text);
  } catch (cause) {
    throw new DeskhandError("unsupported_input", `Expected a file: URL of this machine but received "${text.slice(0, 100)}": ${messageOf(cause)}.`, { cause });
  }
}
