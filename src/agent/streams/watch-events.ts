/** What made the model speak. */
export type Trigger = "change" | "time" | "question" | "speech";

/** What happens while a stream is watched, for people and programs. */
export type WatchEvent =
  /** A request begins. */
  | { type: "asking"; trigger: Trigger; question: string }
  /** A piece of the answer, as it comes. */
  | { type: "words"; text: string }
  | { type: "answer"; trigger: Trigger; question: string; text: string; frame: number; frameAt: string; change?: number; dropped: number; ms: number; firstWordMs: number }
  /** A question came in the middle of a comment: it goes first, and the comment is not finished. */
  | { type: "interrupted" }
  /** A request failed; it goes on after a pause. */
  | { type: "failed"; message: string }
  /** Too many questions wait: this one is not asked. */
  | { type: "busy"; question: string }
  | { type: "heard"; text: string }
  | { type: "noise" }
  | { type: "deaf"; message: string };
