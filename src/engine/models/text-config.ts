import { z } from "zod";
import { describeIssue } from "../../core/json.js";

/** A schema for folders that leave out what transformers' class of the family has by itself. */
export function withDefaults<T>(defaults: Readonly<Record<string, unknown>>, schema: z.ZodType<T>): z.ZodType<T> {
  return z.looseObject({}).transform((fields) => ({ ...defaults, ...fields })).pipe(schema as z.ZodType<T, Record<string, unknown>>);
}

/** `text_config` of a model whose language half is one of several families, told by its `model_type`; where it has none, the first. */
export function textConfigOf<T>(families: Readonly<Record<string, z.ZodType<T>>>) {
  const [first, ...others] = Object.keys(families) as [string, ...string[]];
  return z.looseObject({ model_type: z.enum([first, ...others]).default(first) }).transform(({ model_type, ...fields }, context): T => {
    const parsed = (families[model_type] as z.ZodType<T>).safeParse(fields, { reportInput: true });
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) context.addIssue({ code: "custom", path: [...issue.path], message: describeIssue(issue), input: fields });
    return z.NEVER;
  });
}
