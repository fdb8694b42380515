import type { FastifyRequest } from "fastify";
import { DeskhandError } from "../core/errors.js";

/** Fields of a form by name; one whose name ends in `[]` may come several times and is an array. */
export type Form = Record<string, string | Uint8Array | string[]>;

/** Most fields of a form, and the longest, in bytes: a prompt is the longest that is meant. */
export const FORM_LIMITS = { fields: 32, fieldSize: 64 * 1024, fieldNameSize: 100, files: 1, parts: 33, headerPairs: 32 };

/**
 * Reads a `multipart/form-data` body into memory, within the limits that the plugin was registered with. File names are not looked at.
 * @throws DeskhandError `invalid_argument` for another kind of body; or one that is damaged; what the plugin throws for one beyond the limits.
 */
export async function readForm(request: FastifyRequest): Promise<Form> {
  if (!request.isMultipart()) throw new DeskhandError("invalid_argument", 'Expected a form (Content-Type: multipart/form-data) with the sound as its field "file".', { param: "file" });
  const form = new Map<string, string | Uint8Array | string[]>();
  try {
    for await (const part of request.parts()) {
      const value = part.type === "file" ? await part.toBuffer() : String(part.value);
      if (typeof value === "string" && part.fieldname.endsWith("[]")) form.set(part.fieldname, [...[form.get(part.fieldname) ?? []].flat(), value] as string[]);
      else form.set(part.fieldname, value);
    }
  } catch (cause) {
    // The plugin's own refusals say which limit it is; what the parser throws is about the bytes, and they are the client's.
    if (!(cause instanceof Error) || "statusCode" in cause) throw cause;
    throw new DeskhandError("invalid_argument", `Expected a whole form (multipart/form-data, with its boundary in Content-Type) but it cannot be read: ${cause.message}.`, { cause });
  }
  return Object.fromEntries(form);
}
