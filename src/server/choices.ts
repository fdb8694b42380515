import type { InferenceEvent } from "../engine/inference.js";
import type { ChoiceEvent } from "./chat-answer.js";

/** The events of several generations as they come, each with its generation's number. When one fails, all end. */
export async function* interleaved(generations: readonly AsyncIterable<InferenceEvent>[]): AsyncGenerator<ChoiceEvent, void> {
  const iterators = generations.map((events) => events[Symbol.asyncIterator]());
  const next = async (choice: number) => ({ choice, result: await iterators[choice]!.next() });
  const waiting = new Map(iterators.map((_, choice) => [choice, next(choice)]));
  try {
    while (waiting.size > 0) {
      const { choice, result } = await Promise.race(waiting.values());
      if (result.done) waiting.delete(choice);
      else {
        waiting.set(choice, next(choice));
        yield { ...result.value, choice };
      }
    }
  } finally {
    // What is left has nobody to tell.
    for (const one of waiting.values()) one.catch(() => undefined);
    await Promise.allSettled(iterators.map(async (iterator) => iterator.return?.()));
  }
}
