import { expect } from "vitest";
import type { Action } from "../../../src/agent/actions.js";
import type { CoordinateChain } from "../../../src/agent/coordinates.js";
import type { Conversation, Dialect, Turn } from "../../../src/agent/dialects/dialect.js";
import type { ModelReply } from "../../../src/agent/model-client.js";
import { IDENTITY, reply } from "./replies.js";

/** A 1000 × 1000 display for a dialect, on which 0 to 1000, and pixels, are the desktop's own. */
export function chainFor(dialect: Dialect): CoordinateChain {
  return { ...IDENTITY, space: dialect.space };
}

export function actionsOf(dialect: Dialect, given: ModelReply | string): Action[] {
  return dialect.parse(typeof given === "string" ? reply({ text: given }) : given, chainFor(dialect)).actions.map(({ action }) => action);
}

/** The reason for which a reply is refused, as the model gets to read it. */
export function refusalOf(dialect: Dialect, given: ModelReply | string): string {
  try {
    actionsOf(dialect, given);
  } catch (error) {
    expect(error).toMatchObject({ code: "model_output" });
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

/** A conversation with as many turns, each with the given reply. */
export function conversationOf(count: number, given: (index: number) => ModelReply, more: Partial<Conversation> = {}): Conversation {
  const turns = Array.from({ length: count }, (_, index): Turn => ({ summary: `step ${index}`, reply: given(index), picture: picture(index), hadEffect: true }));
  return { task: "press OK", turns, picture: picture(count), screen: { width: 1280, height: 800 }, ...more };
}

export function picture(index: number): string {
  return `data:image/png;base64,p${index}`;
}
