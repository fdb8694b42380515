import { DeskhandError } from "../../core/errors.js";
import type { CaptureEnd } from "./ffmpeg.js";
import type { VideoSource } from "./video-source.js";

/** What ffmpeg's words mean, and what to do; the first that fits. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/resource busy/i, "It is in use: close the program that has it."],
  [/permission denied|not authorized/i, "This program may not use it: join the group `video` (Linux), or allow the camera for your terminal in the privacy settings (macOS)."],
  [/connection refused/i, "Nothing listens there: check host and port, and whether the stream is on."],
  [/401 unauthorized|authorization failed/i, "It wants a name and a password: give them in the address, rtsp://NAME:PASSWORD@…"],
  [/403 forbidden|access denied/i, "It does not let this client in."],
  [/404 not found/i, "The host answers but has no such stream: check the path of the address."],
  [/failed to resolve|name or service not known|nodename nor servname|temporary failure in name/i, "There is no such host: check the address and the network."],
  [/no route|unreachable|timed out/i, "It cannot be reached: check the address and the network."],
  [/protocol .*not on whitelist|not on whitelist/i, "It leads to another kind of stream (a playlist, or another protocol), which is not followed: give the address of the stream itself."],
  [/matches no streams|does not contain any stream/i, "There are no pictures in it, only sound or nothing."],
  [/invalid data|could not find codec|moov atom/i, "It is no video that ffmpeg can read, or a damaged one."],
];

/** Why a source gave nothing more, as a `stream_unavailable` error. */
export function explainEnd({ name }: VideoSource, { why, words }: CaptureEnd, stallMs: number): DeskhandError {
  const expected = `Expected pictures from ${name} but`;
  if (why === "stalled") return new DeskhandError("stream_unavailable", `${expected} none came for ${stallMs / 1000} s. Is it still there, and the network?`);
  if (words === "") return new DeskhandError("stream_unavailable", `${expected} the stream ended.`);
  const [, advice] = MEANINGS.find(([pattern]) => pattern.test(words)) ?? [];
  return new DeskhandError("stream_unavailable", `${expected} ffmpeg says: ${words.replace(/\.$/, "")}.${advice === undefined ? "" : ` ${advice}`}`);
}
