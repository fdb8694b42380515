import { access } from "node:fs/promises";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { FILM_FORMATS } from "../../core/film-formats.js";
import { chooseCamera, listCameras } from "./cameras.js";

/** Where pictures come from, as ffmpeg takes it. */
export interface VideoSource {
  kind: "camera" | "network" | "file";
  /** For people: without the name and the password of an address, nor its query, which may carry a token. */
  name: string;
  /** ffmpeg's options of the input, the address last. */
  args: readonly string[];
  /** What ffmpeg said, on one line, without anything secret. */
  quote: (words: string) => string;
}

/** Streams without an end; films are downloaded first, and playlists lead to other addresses. */
const STREAM_FORMATS = "mpjpeg,mjpeg,mpegts,flv";
/** Old frames must not pile up in front of new ones, neither in the demuxer nor in the decoder. */
const LIVE = ["-fflags", "nobuffer", "-flags", "low_delay", "-analyzeduration", "1000000"];
/** Shorter ones stand in every other word; in an address they are hidden by their place. */
const MIN_SECRET_CHARS = 4;
/** For each scheme the protocols that it takes, and no others. */
const PROTOCOLS: Readonly<Record<string, readonly string[]>> = {
  "http:": ["-protocol_whitelist", "http,https,httpproxy,tcp,tls", "-format_whitelist", STREAM_FORMATS],
  "https:": ["-protocol_whitelist", "https,httpproxy,tcp,tls", "-format_whitelist", STREAM_FORMATS],
  // RTP inside the one TCP connection: no further ports, and no frames torn by lost packets.
  "rtsp:": ["-protocol_whitelist", "tcp", "-format_whitelist", "rtsp", "-rtsp_transport", "tcp"],
  "rtsps:": ["-protocol_whitelist", "tcp,tls", "-format_whitelist", "rtsp", "-rtsp_transport", "tcp"],
};

/**
 * `camera`, `camera:NAME` or `/dev/video0`; an `rtsp:`, `rtsps:`, `http:` or `https:` address; anything else is a file, which is played at its own speed.
 * @throws DeskhandError `invalid_argument`, `stream_unavailable`, `dependency_missing`.
 */
export async function findVideoSource(text: string, platform: NodeJS.Platform = process.platform): Promise<VideoSource> {
  const [, , wanted] = /^camera(:(.+))?$/s.exec(text) ?? [];
  if (text === "camera" || wanted !== undefined) return cameraSource(chooseCamera(wanted, await listCameras(platform)), platform);
  if (platform === "linux" && /^\/dev\/video\d+$/.test(text)) return cameraSource(chooseCamera(text, await listCameras(platform)), platform);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return networkSource(text);
  return fileSource(text);
}

export function cameraSource({ id, name }: { id: string; name: string }, platform: NodeJS.Platform): VideoSource {
  // Without a rate avfoundation asks for 29.97 frames a second, which many cameras refuse.
  const args = platform === "darwin" ? ["-f", "avfoundation", "-framerate", "30", "-i", `${id}:none`] : ["-f", "v4l2", "-i", id];
  return { kind: "camera", name: `the camera ${name}`, args, quote: oneLine };
}

export function networkSource(text: string): VideoSource {
  const scheme = text.slice(0, text.indexOf(":") + 1).toLowerCase();
  const protocols = PROTOCOLS[scheme];
  if (protocols === undefined) throw new DeskhandError("invalid_argument", `Expected an rtsp:, rtsps:, http: or https: address but received a ${scheme} one. Give one of those, camera:NAME or a file.`, { param: "source" });
  // `URL` wants a host for http only; `http://` in place of the scheme lets it check the rest in the same way.
  const checked = URL.canParse(text.replace(/^[a-z]+:/i, "http:")) ? new URL(text.replace(/^[a-z]+:/i, "http:")) : undefined;
  if (checked === undefined || /[\s\p{Cc}]/u.test(text)) throw new DeskhandError("invalid_argument", `Expected an address such as ${scheme}//camera.example/stream but what was given is none. Check it; special characters in a password are written as %40 and the like.`, { param: "source" });
  const name = `${scheme}//${checked.host}${checked.pathname}`;
  const secrets = [checked.search.slice(1), checked.password].flatMap((part) => [part, decoded(part)]).filter((part) => part.length >= MIN_SECRET_CHARS);
  const quote = (words: string): string => {
    let clean = words.replaceAll(text, name).replace(/\/\/[^\s/@]*@/g, "//");
    for (const secret of secrets.sort((a, b) => b.length - a.length)) clean = clean.replaceAll(secret, "…");
    return oneLine(clean);
  };
  return { kind: "network", name, args: [...protocols, ...LIVE, "-i", text], quote };
}

async function fileSource(path: string): Promise<VideoSource> {
  try {
    await access(path);
  } catch (cause) {
    throw new DeskhandError("invalid_argument", `Expected a camera, the address of a stream or a video file but ${path} cannot be read: ${messageOf(cause)}.`, { param: "source", cause });
  }
  return { kind: "file", name: path, args: ["-protocol_whitelist", "file", "-format_whitelist", FILM_FORMATS, "-re", "-i", `file:${path}`], quote: oneLine };
}

/** Without the places in memory that ffmpeg puts before its lines, and each line once. */
function oneLine(words: string): string {
  const lines = words.split("\n").map((line) => line.replace(/\[[^\][@]+ @ 0x[0-9a-f]+\] ?/g, "").trim());
  return [...new Set(lines.filter((line) => line !== ""))].join("; ");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
