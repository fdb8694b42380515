import { z } from "zod";
import { CustomTools } from "../custom-tools.js";
import type { Dialect } from "../dialects/dialect.js";
import type { RunLine } from "../recorder/records.js";

/** The program's functions that a recorded run had, for a family that can be given some. Their calls are read and never run. */
export type RecordedTools = Pick<CustomTools, "offers" | "read">;

export function recordedTools({ functions = [] }: RunLine, dialect: Dialect): RecordedTools {
  const offers = dialect.ownFunctions ? functions : [];
  const execute = () => {
    throw new Error("a replay runs no functions");
  };
  const tools = new CustomTools(offers.map(({ parameters, ...offer }) => ({ ...offer, parameters: z.fromJSONSchema(parameters as Parameters<typeof z.fromJSONSchema>[0]) as z.ZodObject, risk: "harmless", execute })), dialect);
  return { offers, read: (reply) => tools.read(reply) };
}
