/** A word, and when it is said. */
export interface TranscriptWord {
  /** With the space before it, as it stands in the text. */
  word: string;
  /** Seconds from the beginning of the sound. */
  start: number;
  end: number;
  /** Mean probability of its tokens. */
  probability: number;
}

/** A stretch of speech. */
export interface TranscriptSegment {
  /** Counts from 0. */
  id: number;
  /** Seconds from the beginning of the sound. */
  start: number;
  end: number;
  /** First frame, of 10 ms, of the window it was heard in. */
  seek: number;
  /** As the model wrote it, usually with a space before. */
  text: string;
  /** Timestamps included. */
  tokenIds: number[];
  /** Of the window it was heard in, like the three figures below. */
  temperature: number;
  /** Mean of the natural logarithms of the tokens' probabilities. */
  avgLogprob: number;
  /** How many times smaller zlib makes the text: above 2.4 it repeats itself. */
  compressionRatio: number;
  /** How likely it is that nobody speaks. */
  noSpeechProb: number;
  /** Present when they were asked for. */
  words?: TranscriptWord[];
}

export interface Transcript {
  text: string;
  /** Code of the language that is spoken, e.g. `en`. */
  language: string;
  durationS: number;
  segments: TranscriptSegment[];
}
