import { z } from "zod";

/**
 * The canonical actions. Positions are whole logical desktop pixels, counted from the desktop's origin as the operating system does.
 * Every dialect translates to and from these; the computer executes nothing else.
 */
const Point = z.object({ x: z.number(), y: z.number() });
export type Point = z.infer<typeof Point>;

/** A rectangle of the desktop. */
export const Region = z.object({ x: z.number(), y: z.number(), width: z.number().positive(), height: z.number().positive() });
export type Region = z.infer<typeof Region>;

export const MouseButton = z.enum(["left", "right", "middle", "back", "forward"]);
export type MouseButton = z.infer<typeof MouseButton>;

/** Keys by the names of computer/keys.ts; an element may be a chord of its own, `ctrl+a`. */
const Keys = z.array(z.string().min(1)).min(1);
/** Timers hold no more than some weeks, and nobody wants to wait as long. */
const ms = z.number().min(0).max(600_000);
const button = MouseButton.default("left");
/** Keys held while it happens, pressed in order before and released in reverse after. */
const held = Keys.optional();

export const Action = z.discriminatedUnion("type", [
  z.object({ type: z.literal("click"), at: Point.optional(), button, count: z.number().int().min(1).max(3).default(1), held }).describe("Clicks, at the cursor without a position; `count` 2 is a double click."),
  z.object({ type: z.literal("move"), to: Point, held }).describe("Puts the mouse somewhere."),
  z.object({ type: z.literal("drag"), from: Point.optional(), via: z.array(Point).min(1).optional(), to: Point, button, held }).describe("Drags, from the cursor without `from`, through each point of `via` in order."),
  z.object({ type: z.literal("mouse_down"), at: Point.optional(), button }).describe("Presses a button that stays down until it is released, the run ends or anything fails."),
  z.object({ type: z.literal("mouse_up"), at: Point.optional(), button }).describe("Releases a button."),
  z.object({ type: z.literal("scroll"), at: Point.optional(), up: z.number().default(0), left: z.number().default(0), held }).describe("Turns the wheel by clicks, also parts of one; positive is up and left, at `at` or the cursor."),
  z.object({ type: z.literal("type"), text: z.string() }).describe("Types exactly this text where the keyboard is; a line feed is Return."),
  z.object({ type: z.literal("key"), keys: Keys }).describe('Presses one chord in order and releases it in reverse, e.g. ["ctrl", "a"].'),
  z.object({ type: z.literal("hold_key"), keys: Keys, ms }).describe("The same with time between pressing and releasing."),
  z.object({ type: z.literal("key_down"), keys: Keys }).describe("Presses keys that stay down until they are released, the run ends or anything fails."),
  z.object({ type: z.literal("key_up"), keys: Keys }).describe("Releases keys."),
  z.object({ type: z.literal("wait"), ms }).describe("Lets time pass; `ms` 0 is a no-op."),
  z.object({ type: z.literal("screenshot") }).describe("Nothing but a new look at the screen."),
  z.object({ type: z.literal("zoom"), region: Region }).describe("Shows only this part of the screen, in its full resolution."),
  z.object({ type: z.literal("ask"), question: z.string() }).describe("Asks the person for help or for an answer, and goes on with what they say."),
  z.object({ type: z.literal("call"), name: z.string(), arguments: z.record(z.string(), z.unknown()) }).describe("Calls a function that the agent was given beside the computer."),
  z.object({ type: z.literal("answer"), text: z.string() }).describe("Answers a question of the task in words."),
  z.object({ type: z.literal("terminate"), success: z.boolean(), message: z.string().optional() }).describe("Ends the task."),
]);
export type Action = z.infer<typeof Action>;
export type ActionInput = z.input<typeof Action>;
