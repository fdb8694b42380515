import type { FastifyRequest } from "fastify";
import { DeskhandError } from "../core/errors.js";

/** Fields of a form by name; one whose name ends in `[]` may come several times and is an array under the name without it. */
export type Form = Record<string, string | Uint8Array | string[]>;

/** Most fields of a form, and the longest, in bytes: a prompt is the longest that is meant. */
export const FORM_LIMITS = { fields: 32, fieldSize: 64 * 1024, fieldNameSize: 100, files: 1, parts: 33, headerPairs: 32 };

/**
 * Reads a `multipart/form-data` body into memory, within the limits that the plugin was registered with. File names are not looked at.
 * @throws DeskhandError `invalid_argument` for another kind of body; what the plugin throws for one beyond the limits.
 */
export async function readForm(request: FastifyRequest): Promise<Form> {
  if (!request.isMultipart()) throw new DeskhandError("invalid_argument", 'Expected a form (Content-Type: multipart/form-data) with the sound as its field "file".', { param: "file" });
  const form = new Map<string, string | Uint8Array | string[]>();
  for await (const part of request.parts()) {
    const value = part.type === "file" ? await part.toBuffer() : String(part.value);
    const list = /^(.+)\[\]$/.exec(part.fieldname)?.[1];
    if (list === undefined || typeof value !== "string") form.set(part.fieldname, value);
    else form.set(list, [...[form.get(list) ?? []].flat(), value] as string[]);
  }
  return Object.fromEntries(form);
}
