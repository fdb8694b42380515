import { throwIfAborted } from "../../core/errors.js";
import type { KVCache } from "../cache/kv-cache.js";
import { astype, concatenate, disposeAll, evaluated, reshape, scope, slice, take, tensor, type Tensor } from "../mlx/index.js";
import type { KeyValues } from "../models/whisper/attention.js";
import type { WhisperModel } from "../models/whisper/model.js";
import type { HeadMatrices } from "./alignment.js";

export interface TextOptions {
  /** `[layer, head]` of the attention to note for each token added. */
  heads?: readonly (readonly [number, number])[];
  signal?: AbortSignal;
}

/** A window after the encoder: its keys and values in each layer of the decoder, computed once for all that is asked of it. */
export class HeardWindow implements Disposable {
  readonly #model: WhisperModel;
  readonly #heard: KeyValues[];

  private constructor(model: WhisperModel, heard: KeyValues[]) {
    this.#model = model;
    this.#heard = heard;
  }

  /** @param features `[2 · positions, mels]` */
  static async listen(model: WhisperModel, features: Float32Array<ArrayBuffer>): Promise<HeardWindow> {
    const mels = model.config.num_mel_bins;
    const heard = scope(() => model.decoder.listen(model.encoder.forward(tensor(features, [1, features.length / mels, mels]))));
    const window = new HeardWindow(model, heard);
    try {
      await evaluated(...window.#tensors());
      return window;
    } catch (error) {
      window[Symbol.dispose]();
      throw error;
    }
  }

  /** A text that begins with this prompt. The caller disposes it. */
  text(prompt: readonly number[], options: TextOptions = {}): WindowText {
    return new WindowText(this.#model, this.#heard, prompt, options);
  }

  #tensors(): Tensor[] {
    return this.#heard.flatMap(({ keys, values }) => [keys, values]);
  }

  [Symbol.dispose](): void {
    disposeAll(this.#tensors());
  }
}

/** A text about a window: a prompt, and tokens added one by one. */
export class WindowText implements Disposable {
  readonly #model: WhisperModel;
  readonly #heard: readonly KeyValues[];
  readonly #prompt: readonly number[];
  readonly #cache: KVCache[];
  readonly #heads: NonNullable<TextOptions["heads"]>;
  readonly #signal: AbortSignal | undefined;
  /** Of each token added: `[1, heads, 1, steps]`. */
  readonly #attention: Tensor[] = [];

  constructor(model: WhisperModel, heard: readonly KeyValues[], prompt: readonly number[], { heads = [], signal }: TextOptions) {
    this.#model = model;
    this.#heard = heard;
    this.#prompt = prompt;
    this.#cache = model.decoder.createCache();
    this.#heads = heads;
    this.#signal = signal;
  }

  /** Reads the prompt. Returns the logits after these of its tokens, in float32. */
  async readPrompt(rows: readonly number[]): Promise<Float32Array[]> {
    const { logits } = await this.#run(this.#prompt, rows);
    const vocabSize = logits.length / rows.length;
    return rows.map((_, i) => logits.slice(i * vocabSize, (i + 1) * vocabSize));
  }

  /** Adds a token. Returns the logits after it, in float32. */
  async add(token: number): Promise<Float32Array> {
    const { logits, attention } = await this.#run([token], [0], this.#heads);
    if (attention !== undefined) this.#attention.push(attention);
    return logits;
  }

  /** Takes back every token added. */
  restart(): void {
    for (const layer of this.#cache) layer.trim(this.#prompt.length);
    disposeAll(this.#attention.splice(0));
  }

  /** How much each token added attends to the first `steps` steps of the sound. */
  attention(steps: number): HeadMatrices {
    const [heads, rows] = [this.#heads.length, this.#attention.length];
    if (rows === 0) return { data: new Float32Array(), heads, rows, columns: steps };
    using all = scope(() => slice(concatenate(this.#attention, 2), 3, 0, steps));
    return { data: all.toTypedArray() as Float32Array, heads, rows, columns: all.dim(3) };
  }

  /** One pass: logits of these of the new rows, and what they attend to. */
  async #run(tokens: readonly number[], rows: readonly number[], heads: NonNullable<TextOptions["heads"]> = []): Promise<{ logits: Float32Array; attention?: Tensor }> {
    throwIfAborted(this.#signal);
    const { decoder } = this.#model;
    const { logits, attention } = scope(() => {
      const layers: Tensor[] = [];
      const hidden = decoder.forward(tensor(Int32Array.from(tokens), [1, tokens.length]), this.#heard, this.#cache, heads.length === 0 ? undefined : layers);
      const wanted = take(hidden, tensor(Int32Array.from(rows)), 1);
      const weights = heads.map(([layer, head]) => slice(layers[layer]!, 1, head, head + 1));
      return { logits: astype(reshape(decoder.logits(wanted), [-1]), "float32"), attention: heads.length === 0 ? undefined : astype(concatenate(weights, 1), "float32") };
    });
    try {
      await evaluated(logits, ...(attention === undefined ? [] : [attention]), ...this.#cache.flatMap((layer) => layer.tensors()));
      return { logits: logits.toTypedArray() as Float32Array, attention };
    } catch (error) {
      attention?.dispose();
      throw error;
    } finally {
      logits.dispose();
    }
  }

  [Symbol.dispose](): void {
    disposeAll(this.#attention.splice(0));
    for (const layer of this.#cache) layer[Symbol.dispose]();
  }
}
