import { Automaton } from "../../../src/engine/grammar/automaton.js";
import type { GrammarNode } from "../../../src/engine/grammar/node.js";
import { JSON_NOTATION } from "../../../src/engine/grammar/notation.js";
import { SchemaCompiler } from "../../../src/engine/grammar/schema.js";
import { SchemaSource } from "../../../src/engine/grammar/schema-source.js";

/** Whether a text can be written under a schema's grammar. */
export function allows(schema: unknown): ((text: string) => boolean) & { root: GrammarNode } {
  const root = new SchemaCompiler(new SchemaSource(schema, "schema"), JSON_NOTATION).compile(schema);
  const automaton = new Automaton(root);
  const isAllowed = (text: string): boolean => {
    let state = automaton.isPossible ? automaton.start : null;
    for (const byte of new TextEncoder().encode(text)) state = state && automaton.step(state, byte);
    return state?.accepts === true;
  };
  return Object.assign(isAllowed, { root });
}
