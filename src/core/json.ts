import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { DeskhandError, messageOf, type ErrorCode } from "./errors.js";

/** Characters of a refused value that a message shows at most. */
const MAX_SHOWN = 100;

/** Reads and parses a JSON file; the error names the file and what is wrong with it. */
export async function readJson(path: string, code: ErrorCode = "invalid_model"): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new DeskhandError(code, `Expected a readable JSON file at ${path} but received: ${messageOf(cause)}.`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DeskhandError(code, `Expected valid JSON in ${path} but received a syntax error: ${messageOf(cause)}.`, { cause });
  }
}

/** Parses with a zod schema; the error lists every field at fault under `what`. */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown, what: string, code: ErrorCode = "invalid_argument"): z.output<T> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.map(String).join(".") || "(root)"}: ${describeIssue(issue)}`);
  throw new DeskhandError(code, `${what} is not valid: ${issues.join("; ")}.`, { cause: result.error, param: result.error.issues[0]?.path.map(String).join(".") });
}

/** zod's words; for a value that is none of those known, those and the one that came. Needs issues with their input (`reportInput`). */
export function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_value" || issue.input === undefined) return issue.message;
  const received = JSON.stringify(issue.input)?.slice(0, MAX_SHOWN) ?? typeof issue.input;
  const isOwn = !issue.message.startsWith("Invalid ");
  if (isOwn) return issue.message.includes("received") ? issue.message : `${issue.message} (received ${received})`;
  return `Expected ${issue.values.length === 1 ? "" : "one of "}${issue.values.map((value) => JSON.stringify(value)).join(", ")} but received ${received}`;
}
