import type { ToolDefinition } from "../messages.js";
import type { ParsedCall } from "./block-parser.js";
import { NotACall } from "./cursor.js";
import { parametersOf, typedValue } from "./schema-values.js";

const WORD = /\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+)/y;

/** `get-weather Paris --days 2 unit=C`: a call as a shell would take it, of a function that is defined. @throws NotACall */
export function shellCall(line: string, tools: readonly ToolDefinition[]): ParsedCall {
  const [name = "", ...words] = wordsOf(line);
  const parameters = parametersOf(tools, name);
  if (parameters === undefined) throw new NotACall();
  const values = new Map<string, unknown>();
  for (let i = 0; i < words.length; i++) {
    const [, key, value] = /^(?:--?)?([A-Za-z_][\w-]*)=([^]*)$/.exec(words[i]!) ?? [];
    const flag = /^--([A-Za-z_][\w-]*)$/.exec(words[i]!)?.[1];
    if (key !== undefined) values.set(parameterName(key, parameters), value);
    else if (flag === undefined) values.set([...parameters.keys()].find((one) => !values.has(one)) ?? notACall(), words[i]);
    else values.set(parameterName(flag, parameters), isValue(words[i + 1]) ? words[++i] : "true");
  }
  return { name, arguments: JSON.stringify(Object.fromEntries([...values].map(([key, value]) => [key, typedValue(String(value), parameters.get(key))]))) };
}

function isValue(word: string | undefined): boolean {
  return word !== undefined && !word.startsWith("--");
}

/** Shells write hyphens where schemas have underscores. */
function parameterName(written: string, parameters: ReadonlyMap<string, unknown>): string {
  return [written, written.replaceAll("-", "_")].find((name) => parameters.has(name)) ?? notACall();
}

function wordsOf(line: string): string[] {
  const words: string[] = [];
  let at = 0;
  while (line.slice(at).trim() !== "") {
    WORD.lastIndex = at;
    const match = WORD.exec(line) ?? notACall();
    at += match[0].length;
    words.push(match[1]!.replaceAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, double: string | undefined, single: string | undefined) => single ?? double?.replaceAll(/\\(.)/g, "$1") ?? ""));
  }
  return words;
}

function notACall(): never {
  throw new NotACall();
}
