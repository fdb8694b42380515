import type { z } from "zod";
import { DeskhandError } from "../../core/errors.js";

/** Parses a request with a schema, or throws `invalid_argument` naming the field at fault the way OpenAI does: `messages[0].content`. */
export function parseRequest<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const first = result.error.issues[0];
  if (!first) throw new DeskhandError("invalid_argument", "The request is not valid.", { cause: result.error });
  const { path, message } = mostSpecific(first);
  const param = pathText(path);
  throw new DeskhandError("invalid_argument", `${param || "request body"}: ${message}.`, { cause: result.error, param: param || undefined });
}

/** A path in a request, e.g. `["messages", 0, "content"]` as `messages[0].content`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

/** A union's issue only says that no branch fits; the branch that got past its own type says what is wrong inside. */
function mostSpecific(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string } {
  if (issue.code === "invalid_union") {
    for (const branch of issue.errors) {
      const inner = branch[0];
      if (inner && (inner.path.length > 0 || !["invalid_type", "invalid_value"].includes(inner.code))) {
        const found = mostSpecific(inner);
        return { path: [...issue.path, ...found.path], message: found.message };
      }
    }
  }
  return { path: issue.path, message: issue.message };
}
