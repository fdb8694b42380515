/** Where speech comes from. */
export interface SoundSource extends AsyncDisposable {
  /** For people, e.g. `the microphone` or `notes.wav`. */
  name: string;
  /** Whether it goes on by itself: what is heard while the agent acts can then stop it. A file waits for the agent instead. */
  live: boolean;
  /** 16-bit mono at 16 kHz. Ends when the source does, or when it is disposed; rejects when it breaks off. */
  samples: AsyncIterable<Int16Array>;
}
