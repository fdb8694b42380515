import type { TextDelta } from "./text.js";
import { ThinkingSplitter } from "./thinking.js";

/** A piece of an answer: text to show and thinking before it, either of which may be empty. */
export interface GenerationDelta extends TextDelta {
  /** The model's thinking, apart from `text`. */
  reasoning: string;
}

/**
 * Takes thinking out of a stream of text; returns what the stream returned, with `text` and `reasoning` of the whole. Leaving it early ends the
 * stream as well.
 *
 * @param block whether the model thinks before it answers, and whether the prompt has opened that block already; asked once text comes.
 */
export async function* withThinking<Output extends { text: string }>(stream: AsyncGenerator<TextDelta, Output>, block: () => { isOpen: boolean } | undefined): AsyncGenerator<GenerationDelta, Output & { reasoning: string }> {
  let splitter: ThinkingSplitter | undefined;
  let isKnown = false;
  const whole = { text: "", reasoning: "" };
  try {
    for (;;) {
      const { value, done } = await stream.next();
      if (!isKnown) {
        const thinking = block();
        splitter = thinking && new ThinkingSplitter(thinking.isOpen);
        isKnown = true;
      }
      const delta: GenerationDelta = done ? { text: "", reasoning: "", tokenIds: [] } : { ...value, text: "", reasoning: "" };
      if (splitter === undefined) delta.text = done ? "" : value.text;
      else for (const piece of done ? splitter.end() : splitter.feed(value.text)) delta[piece.type] += piece.text;
      whole.text += delta.text;
      whole.reasoning += delta.reasoning;
      if (!done || delta.text + delta.reasoning !== "") yield delta;
      if (done) return { ...value, ...whole };
    }
  } finally {
    await stream.return(undefined as never);
  }
}
