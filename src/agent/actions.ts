import { z } from "zod";

/**
 * The canonical actions. Positions are whole logical desktop pixels, counted from the desktop's origin as the operating system does.
 * Every dialect translates to and from these; the computer executes nothing else.
 */
const Point = z.object({ x: z.number(), y: z.number() });
export type Point = z.infer<typeof Point>;

export const MouseButton = z.enum(["left", "right", "middle"]);
export type MouseButton = z.infer<typeof MouseButton>;

export const Action = z.discriminatedUnion("type", [
  /** Without a position it happens at the cursor. `count` 2 is a double click. */
  z.object({ type: z.literal("click"), at: Point.optional(), button: MouseButton.default("left"), count: z.number().int().min(1).max(3).default(1) }),
  z.object({ type: z.literal("move"), to: Point }),
  /** Without `from` the drag starts at the cursor. */
  z.object({ type: z.literal("drag"), from: Point.optional(), to: Point, button: MouseButton.default("left") }),
  /** Wheel clicks; positive is up and left, at `at` or the cursor. */
  z.object({ type: z.literal("scroll"), at: Point.optional(), up: z.number().int().default(0), left: z.number().int().default(0) }),
  /** Types exactly this text; a line feed is Return. */
  z.object({ type: z.literal("type"), text: z.string() }),
  /** One chord, pressed in order and released in reverse, e.g. ["ctrl", "a"]. Names: see computer/keys.ts. */
  z.object({ type: z.literal("key"), keys: z.array(z.string()).min(1) }),
  /** Lets time pass; `ms` 0 is a no-op. */
  z.object({ type: z.literal("wait"), ms: z.number().min(0) }),
  /** Answers a question of the task in words. */
  z.object({ type: z.literal("answer"), text: z.string() }),
  z.object({ type: z.literal("terminate"), success: z.boolean(), message: z.string().optional() }),
]);
export type Action = z.infer<typeof Action>;
export type ActionInput = z.input<typeof Action>;
