/** Cuts a stream of samples into what is to be written down, each with a little of what came before it. */
export interface Segmenter {
  /** Stretches that these samples complete. */
  push(samples: Int16Array): Int16Array[];
  /** The stream is over: what is still open. */
  end(): Int16Array[];
}
