/** The part of the `node-record-lpcm16` package (1.0) that is used here; it ships no types. */
declare module "node-record-lpcm16" {
  import type { ChildProcessByStdio } from "node:child_process";
  import type { Readable } from "node:stream";

  export interface Recording {
    /** The recorder: nobody but us listens to its `error` event. */
    process: ChildProcessByStdio<null, Readable, Readable>;
    /** Emits a string as an `error` when the recorder ends with another code than 0, a deliberate stop included. */
    stream(): Readable;
    stop(): void;
  }

  /** A CommonJS module, whose names Node does not see one by one. */
  const lpcm16: {
    record(options: { recorder: "rec" | "sox" | "arecord"; sampleRate: number; channels: number; audioType: "raw"; device?: string }): Recording;
  };
  export default lpcm16;
}
