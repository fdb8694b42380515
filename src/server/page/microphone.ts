import { closeDevice, openDevice } from "./devices.js";
import { Problem } from "./problems.js";

/** What models that hear take. */
const RATE_HZ = 16_000;

/** Listens until it is stopped. */
export class Recording {
  readonly #stream: MediaStream;
  readonly #recorder: MediaRecorder;
  readonly #pieces: Blob[] = [];

  /** @throws Problem when there is no microphone. */
  static async start(): Promise<Recording> {
    return new Recording(await openDevice("audio"));
  }

  private constructor(stream: MediaStream) {
    this.#stream = stream;
    this.#recorder = new MediaRecorder(stream);
    this.#recorder.addEventListener("dataavailable", ({ data }) => this.#pieces.push(data));
    this.#recorder.start();
  }

  /** Ends it and gives what was heard as a WAVE file, which a server reads without a decoder for the browser's own format. */
  async stop(): Promise<Blob> {
    await this.#end();
    const recorded = new Blob(this.#pieces);
    if (recorded.size === 0) throw new Problem("Nothing was recorded.", "Speak for a second or longer.");
    const context = new OfflineAudioContext(1, 1, RATE_HZ);
    // Decoding resamples to the context's rate.
    const sound = await context.decodeAudioData(await recorded.arrayBuffer());
    return waveFile(sound);
  }

  async cancel(): Promise<void> {
    await this.#end();
  }

  async #end(): Promise<void> {
    if (this.#recorder.state !== "inactive") {
      const stopped = new Promise((resolve) => this.#recorder.addEventListener("stop", resolve, { once: true }));
      this.#recorder.stop();
      await stopped;
    }
    closeDevice(this.#stream);
  }
}

/** One channel of 16-bit samples. */
function waveFile(sound: AudioBuffer): Blob {
  const channels = Array.from({ length: sound.numberOfChannels }, (_, index) => sound.getChannelData(index));
  const view = new DataView(new ArrayBuffer(44 + 2 * sound.length));
  const text = (at: number, value: string) => [...value].forEach((char, index) => view.setUint8(at + index, char.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * sound.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true);
  view.setUint32(24, sound.sampleRate, true);
  view.setUint32(28, 2 * sound.sampleRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * sound.length, true);
  for (let index = 0; index < sound.length; index++) {
    const mean = channels.reduce((sum, channel) => sum + (channel[index] ?? 0), 0) / channels.length;
    view.setInt16(44 + 2 * index, Math.round(Math.max(-1, Math.min(1, mean)) * 0x7fff), true);
  }
  return new Blob([view], { type: "audio/wav" });
}
