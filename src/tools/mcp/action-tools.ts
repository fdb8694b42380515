import type { Tool, ToolAnnotations } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { Action, type Point, type Region } from "../../agent/actions.js";
import type { CoordinateChain } from "../../agent/coordinates.js";
import { Locator } from "../../agent/dialects/locator.js";
import { isHarmless } from "../../agent/safety/risk.js";
import { DeskhandError, isDeskhandError } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { ActionResult } from "./view.js";

type ActionType = Action["type"];

/** They belong to a run of our own agent; here the client's model does the work. */
const OF_RUNS: ReadonlySet<ActionType> = new Set(["call", "answer", "terminate"] satisfies ActionType[]);
/** They need nobody's hands. */
const READ_ONLY: ReadonlySet<ActionType> = new Set(["wait", "screenshot", "zoom", "ask"] satisfies ActionType[]);

const PLACES = "Positions are pixels of the whole picture that `screenshot` gives.";
const INTENT = z
  .string()
  .min(1)
  .max(500)
  .describe("What this does in a few words, with the name of what it aims at, e.g. press the Save button. The safety rules go by it, and a person who is asked reads it.");

/** One canonical action, offered as a tool. */
export interface ActionTool {
  definition: Tool;
  /** Whether it needs the mouse or the keyboard. */
  acts: boolean;
  /** @throws DeskhandError `invalid_argument` that names the argument at fault. */
  read(given: unknown): ActionCall;
}

export interface ActionCall {
  /** The client's words about it; empty where it is asked for none. */
  intent: string;
  /** On the desktop of a picture. @throws DeskhandError `invalid_argument` for a place outside of it. */
  on(chain: CoordinateChain): Action;
}

/** Every canonical action under its own name, with the arguments it has there. */
export const ACTION_TOOLS: ReadonlyMap<string, ActionTool> = new Map(Action.options.filter(({ shape }) => !OF_RUNS.has(shape.type.value)).map((option) => [option.shape.type.value, toTool(option)]));

function toTool(option: (typeof Action.options)[number]): ActionTool {
  const { type, ...own } = option.shape;
  const name = type.value;
  // Whatever may do harm is told in words too.
  const schema = z.strictObject({ ...own, ...(!isHarmless(name) && { intent: INTENT }) });
  const hasPlaces = ["at", "from", "to", "region"].some((field) => field in own);
  return {
    definition: {
      name,
      description: [option.description, ...(hasPlaces ? [PLACES] : [])].join(" "),
      inputSchema: jsonSchemaOf(schema),
      ...(name !== "ask" && { outputSchema: jsonSchemaOf(ActionResult) }),
      annotations: annotationsOf(name),
    },
    acts: !READ_ONLY.has(name),
    read(given) {
      const { intent = "", ...args } = parseWith(schema, given ?? {}, `The call of ${name}`);
      return { intent: intent as string, on: (chain) => Action.parse({ type: name, ...placed(args, chain) }) };
    },
  };
}

function annotationsOf(name: ActionType): ToolAnnotations {
  const readOnlyHint = READ_ONLY.has(name);
  return { readOnlyHint, destructiveHint: !isHarmless(name), idempotentHint: readOnlyHint || name === "move", openWorldHint: name !== "wait" };
}

/** As MCP wants a tool's schema: an object, without the draft's name. */
export function jsonSchemaOf(schema: z.ZodObject): Tool["inputSchema"] {
  const { $schema: _schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest as Tool["inputSchema"];
}

/** The same arguments with the picture's places taken to the desktop. */
function placed(args: Record<string, unknown>, chain: CoordinateChain): Record<string, unknown> {
  const locator = new Locator(chain);
  const point = (given: unknown) => locator.point((given as Point).x, (given as Point).y);
  const read: Record<string, (given: unknown) => unknown> = {
    at: point,
    from: point,
    to: point,
    via: (given) => (given as Point[]).map(point),
    region: (given) => {
      const { x, y, width, height } = given as Region;
      // The last pixel's far edge is the picture's own.
      return locator.region(x, y, Math.min(x + width, chain.sent.width - 1), Math.min(y + height, chain.sent.height - 1));
    },
  };
  try {
    return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, value === undefined ? value : (read[key]?.(value) ?? value)]));
  } catch (error) {
    if (!isDeskhandError(error, "model_output")) throw error;
    throw new DeskhandError("invalid_argument", `${error.message} Take another look with screenshot.`, { cause: error });
  }
}
