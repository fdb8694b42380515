import { describe, expect, it } from "vitest";
import type { Conversation, Dialect } from "../../src/agent/dialects/dialect.js";
import { dialectByName, DIALECT_NAMES } from "../../src/agent/dialects/index.js";
import { planner } from "../../src/agent/dialects/planner.js";
import { conversationOf } from "./support/dialect.js";
import { callText, reply } from "./support/replies.js";
import { withAgent } from "./support/run-agent.js";

const STEPS = 50;
/** A picture's own name in a prompt, whichever interface it is for. */
const PICTURE = /(?:base64,|"data":")p\d+/g;

/** The parts of a prompt in their order. */
function partsOf(dialect: Dialect, conversation: Conversation): string[] {
  const prompt = dialect.render(conversation);
  return (prompt.api === "responses" ? prompt.input : prompt.messages).map((part) => JSON.stringify(part));
}

/** From the first part on that the prompt before it did not begin with. */
function freshParts(prompt: string[], before: string[]): string[] {
  const first = before.findIndex((part, at) => part !== prompt[at]);
  return prompt.slice(first < 0 ? before.length : first);
}

const picturesIn = (parts: string[]): number => (parts.join("").match(PICTURE) ?? []).length;
const sum = (counts: number[]): number => counts.reduce((total, count) => total + count, 0);

/** The embedded model has a prompt of its own, with one picture. */
const FAMILIES = [...DIALECT_NAMES.filter((name) => name !== "tiny").map(dialectByName), planner];

describe("a conversation of 50 steps", () => {
  it.each(FAMILIES.map((dialect) => [dialect.name, dialect] as const))("%s: only grows at its end, but at equal distances where old pictures go, and costs the same to the end", (_, dialect) => {
    const said = (index: number) => reply({ text: `step ${index}`, toolCalls: [{ id: `call_${index}`, name: "computer", arguments: `{"action":"wait","duration":${index % 10}}` }], items: [] });
    const prompts = Array.from({ length: STEPS + 1 }, (_, count) => partsOf(dialect, conversationOf(count, said)));
    const fresh = prompts.slice(1).map((prompt, index) => freshParts(prompt, prompts[index]!));
    const broken = prompts.flatMap((prompt, index) => (index > 0 && !prompts[index - 1]!.every((part, at) => part === prompt[at]) ? [index] : []));
    const between = broken[1]! - broken[0]!;
    expect(between).toBeGreaterThanOrEqual(2);
    expect(broken).toEqual(Array.from({ length: Math.floor(STEPS / between) }, (_, nth) => (nth + 1) * between).filter((step) => step >= broken[0]!));
    expect(Math.max(...prompts.map(picturesIn))).toBe(between + 1);
    // What no prefix cache can have: one new picture, and the one before it too where old ones go.
    const cost = (from: number) => sum(fresh.slice(from, from + between * 2).map(picturesIn));
    const costs = Array.from({ length: Math.floor(STEPS / between) - 3 }, (_, nth) => cost((nth + 1) * between));
    expect(new Set(costs).size).toBe(1);
    expect(costs[0]).toBeLessThanOrEqual(between * 2 + 2);
  });
});

it("in a run each request begins with the one before it, but at the compaction", async () => {
  const replies = Array.from({ length: 12 }, (_, index) => ({ text: callText({ action: "mouse_move", coordinate: [50 * index, 500] }) }));
  // Every move leaves a mark, so that no step looks like the one before it.
  const paint = (frame: { data: Uint8Array }, { events }: { events: readonly unknown[] }) => frame.data.fill(0, events.length * 400, events.length * 400 + 400);
  await withAgent(replies, async ({ agent, server }) => {
    expect(await agent.run("go on")).toMatchObject({ stop: "max_steps", steps: 12 });
    const prompts = server.requests.map(({ messages }) => messages.map((message) => JSON.stringify(message)));
    expect(prompts.slice(1).flatMap((prompt, index) => (prompts[index]!.every((part, at) => part === prompt[at]) ? [] : [index + 1]))).toEqual([8]);
  }, { agent: { model: "qwen", maxSteps: 12 }, computer: { widthPx: 200, heightPx: 200, paint } });
});
