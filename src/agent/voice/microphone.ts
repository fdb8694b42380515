import lpcm16, { type Recording } from "node-record-lpcm16";
import { DeskhandError } from "../../core/errors.js";
import { findProgram } from "../../core/programs.js";
import { RATE, toSamples } from "./samples.js";
import type { SoundSource } from "./sound-source.js";

const RECORDERS = ["arecord", "rec", "sox"] as const;
export type Recorder = (typeof RECORDERS)[number];

const END_TIMEOUT_MS = 2_000;
/** A minute: models take a while to load, and what was said before that means nothing any more. */
const MAX_UNREAD_BYTES = 60 * 2 * RATE;
const INSTALL = process.platform === "darwin" ? "brew install sox" : "apt-get install alsa-utils (arecord) or sox";

export interface MicrophoneOptions {
  /** Unless given: the first of these that is installed. */
  recorder?: Recorder;
  /** As the recorder calls it, e.g. `pulse` or `hw:1` for arecord; the system's default unless given. */
  device?: string;
}

/**
 * Records until it is disposed.
 * @throws DeskhandError `dependency_missing` without a recorder; reading rejects with `microphone_unavailable`.
 */
export function openMicrophone({ recorder: wanted, device }: MicrophoneOptions = {}): SoundSource {
  const choice = wanted === undefined ? RECORDERS : [wanted];
  const recorder = choice.find((name) => findProgram(name) !== undefined);
  if (recorder === undefined) {
    throw new DeskhandError("dependency_missing", `Expected a program that records (${choice.join(", ")}) but none is installed. Get one: ${INSTALL}; or give --input a file or a stream.`);
  }
  const recording = lpcm16.record({ recorder, sampleRate: RATE, channels: 1, audioType: "raw", device });
  let stopping = false;
  let words = "";
  let failure: Error | undefined;
  const exited = new Promise<number | null>((resolve) => {
    // The package listens for neither: a program that vanished between the look and the start, and a deliberate stop, would end this process.
    recording.process.on("error", (error: Error) => {
      failure = error;
      resolve(null);
    });
    recording.process.on("close", resolve);
  });
  recording.stream().on("error", () => undefined);
  recording.process.stderr.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-500)));

  async function* bytes(): AsyncGenerator<Buffer> {
    // Read by events: a stream that emits a string as an error would reject with that string.
    yield* chunksOf(recording, exited);
    await exited;
    if (stopping) return;
    const said = failure?.message ?? words.trim().replace(/\s+/g, " ");
    throw new DeskhandError(
      "microphone_unavailable",
      `Expected sound from ${device ?? "the microphone"} but ${recorder} ended${said === "" ? "" : `: ${said}`}. Is a microphone plugged in, and may this program use it? \`arecord -l\` lists them; --device names one, --input takes a file instead.`,
    );
  }

  return {
    name: device ?? "the microphone",
    live: true,
    samples: toSamples(bytes()),
    [Symbol.asyncDispose]: async () => {
      if (!stopping && failure === undefined) recording.stop();
      stopping = true;
      // A sound server that hangs keeps its recorders from ending.
      const late = setTimeout(() => recording.process.kill("SIGKILL"), END_TIMEOUT_MS);
      await exited.finally(() => clearTimeout(late));
    },
  };
}

async function* chunksOf(recording: Recording, exited: Promise<unknown>): AsyncGenerator<Buffer> {
  const waiting: Buffer[] = [];
  let length = 0;
  let wake = (): void => undefined;
  let ended = false;
  recording.stream().on("data", (chunk: Buffer) => {
    waiting.push(chunk);
    length += chunk.length;
    while (length > MAX_UNREAD_BYTES) length -= waiting.shift()?.length ?? 0;
    wake();
  });
  void exited.then(() => {
    ended = true;
    wake();
  });
  while (!ended || waiting.length > 0) {
    const chunk = waiting.shift();
    if (chunk !== undefined) {
      length -= chunk.length;
      yield chunk;
    } else await new Promise<void>((resolve) => (wake = resolve));
  }
}
