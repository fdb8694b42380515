import type { InferenceEvent } from "../engine/inference.js";

export type FinishEvent = Extract<InferenceEvent, { type: "finish" }>;

/** A stretch of an answer that is of one kind: what Anthropic calls a content block, and OpenAI's responses an output item. */
export type Block = { kind: "reasoning" | "text"; text: string } | { kind: "tool_call"; id: string; name: string; arguments: string };

/** An answer as it grows, block after block; `block` is the same object from its opening to its closing, and holds all that came so far. */
export type BlockEvent =
  | { type: "open"; index: number; block: Block }
  | { type: "delta"; index: number; block: Block; delta: string }
  | { type: "close"; index: number; block: Block }
  | { type: "finish"; finish: FinishEvent };

/** The blocks of an answer. They depend on the whole answer only, never on how it was cut into events. */
export async function* blockEvents(events: AsyncIterable<InferenceEvent>): AsyncGenerator<BlockEvent> {
  let index = -1;
  let block: Block | undefined;
  let finish: FinishEvent | undefined;
  const close = function* (): Generator<BlockEvent> {
    if (block !== undefined) yield { type: "close", index, block };
    block = undefined;
  };
  for await (const event of events) {
    if (event.type === "finish") {
      finish = event;
    } else if (event.type === "tool_call") {
      yield* close();
      block = { kind: "tool_call", id: event.id, name: event.name, arguments: "" };
      yield { type: "open", index: ++index, block };
    } else if (event.type === "tool_call_arguments") {
      if (block?.kind !== "tool_call") throw new Error(`the engine sent arguments of tool call ${event.index} outside that call`);
      if (event.delta === "") continue;
      block.arguments += event.delta;
      yield { type: "delta", index, block, delta: event.delta };
    } else if (event.text !== "") {
      if (block?.kind !== event.type) {
        yield* close();
        block = { kind: event.type, text: "" };
        yield { type: "open", index: ++index, block };
      }
      block.text += event.text;
      yield { type: "delta", index, block, delta: event.text };
    }
  }
  yield* close();
  if (finish === undefined) throw new Error("the engine ended without a finish event");
  yield { type: "finish", finish };
}

/** The whole answer: the same blocks, each complete. */
export async function collectBlocks(events: AsyncIterable<InferenceEvent>): Promise<{ blocks: Block[]; finish: FinishEvent }> {
  const blocks: Block[] = [];
  for await (const event of blockEvents(events)) {
    if (event.type === "close") blocks.push(event.block);
    else if (event.type === "finish") return { blocks, finish: event.finish };
  }
  throw new Error("unreachable: blockEvents ends with a finish");
}
