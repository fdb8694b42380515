/** One report of a long job, e.g. loading weights or downloading a model. */
export interface Progress {
  /** What is being done, in a few words. */
  phase: string;
  /** Work done so far and in all, in `unit`; `total` is absent when unknown. */
  done: number;
  total?: number;
  unit: "bytes" | "files" | "tensors" | "steps" | "seconds";
}

export type OnProgress = (progress: Progress) => void;
