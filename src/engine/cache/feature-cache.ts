import { disposeAll, retain, type Tensor } from "../mlx/index.js";
import type { MediaFeatures } from "../models/architecture.js";

/** What an encoder made of pictures (videos, sounds) lately, by their content and settings: the same one is not encoded again wherever it comes. */
export class FeatureCache implements Disposable {
  readonly #maxBytes: number;
  /** The one used least lately comes first. */
  readonly #kept = new Map<string, MediaFeatures>();
  #bytes = 0;

  /** @param maxBytes most bytes kept; those in use are not counted. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The features kept under a key; the caller's to dispose of. */
  get(key: string): MediaFeatures | undefined {
    const features = this.#kept.get(key);
    if (features === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, features);
    return aliasOf(features);
  }

  /** Keeps features, which stay the caller's too. */
  put(key: string, features: MediaFeatures): void {
    if (this.#kept.has(key)) return;
    this.#kept.set(key, aliasOf(features));
    this.#bytes += bytesOf(features);
    this.shrink(this.#maxBytes);
  }

  /** Makes room: no more than this is kept, of what was used latest. */
  shrink(maxBytes: number): void {
    for (const [oldest, old] of this.#kept) {
      if (this.#bytes <= maxBytes) return;
      this.#kept.delete(oldest);
      this.#bytes -= bytesOf(old);
      disposeAll(tensorsOf(old));
    }
  }

  [Symbol.dispose](): void {
    for (const features of this.#kept.values()) disposeAll(tensorsOf(features));
    this.#kept.clear();
    this.#bytes = 0;
  }
}

export function tensorsOf({ embeddings, deepstack = [] }: MediaFeatures): Tensor[] {
  return [embeddings, ...deepstack];
}

function aliasOf({ embeddings, deepstack }: MediaFeatures): MediaFeatures {
  const alias = (x: Tensor): Tensor => retain(x.alias());
  return { embeddings: alias(embeddings), deepstack: deepstack?.map(alias) };
}

function bytesOf(features: MediaFeatures): number {
  return tensorsOf(features).reduce((sum, { nbytes }) => sum + nbytes, 0);
}
