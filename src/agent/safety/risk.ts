import type { Action } from "../actions.js";
import type { WindowInfo } from "../computer/computer.js";
import type { Reach } from "./capabilities.js";
import { spellChord, type Chord } from "./chords.js";
import { saysScreenAsks, whyUnaskedText } from "./provenance.js";
import { chordHarm, type ChordHarm } from "./risky-chords.js";
import { harmsIn, type Harm } from "./risky-words.js";
import { secretNames, splitSecrets } from "./secret-text.js";
import { isTerminal } from "./terminals.js";

export type RiskClass = "harmless" | "changes" | "risky";

/** One reason for which an action is risky. `unasked`: nothing that the person said speaks of it. */
export interface Risk {
  kind: Harm | ChordHarm | "terminal" | "secret" | "function" | "unread" | "unasked";
  /** Goes on from "it", e.g. `presses ctrl+w, which closes something`. */
  why: string;
}

export interface RiskContext {
  /** The model's words about the step. */
  words: string;
  /** What the person has said: the task and all answers. Undefined when nobody here knows. */
  asked: string | undefined;
  /** Of a function that is called: what whoever gave it says of it. */
  declared?: RiskClass | undefined;
  reach: Reach;
}

const HARMLESS: ReadonlySet<Action["type"]> = new Set(["move", "scroll", "wait", "screenshot", "zoom", "ask", "answer", "terminate", "mouse_up", "key_up"] satisfies Action["type"][]);
const POINTING: ReadonlySet<Action["type"]> = new Set(["click", "drag", "mouse_down"] satisfies Action["type"][]);

/** Whether such an action changes nothing by itself. */
export function isHarmless(type: Action["type"]): boolean {
  return HARMLESS.has(type);
}

const HARM_WORDS: Readonly<Record<Harm, string>> = {
  deletes: "delete something",
  sends: "send something",
  pays: "spend money",
  closes: "close or end something",
  permits: "install or permit something",
};
const CHORD_WORDS: Readonly<Record<ChordHarm, string>> = { deletes: "may delete something", sends: "often sends", closes: "closes something", system: "is for the system" };

/** What an action may do, judged without any model: by what it presses, types and aims at, and by the model's words for it. */
export function assessRisk(action: Action, context: RiskContext): { class: RiskClass; risks: Risk[] } {
  const risks = [...chordRisks(context), ...wordRisks(action, context), ...textRisks(action, context), ...terminalRisks(action, context.reach.windows), ...declaredRisks(action, context.declared)];
  if (risks.length > 0) return { class: "risky", risks };
  if (action.type === "call") return { class: context.declared ?? "risky", risks };
  return { class: isHarmless(action.type) && context.reach.chords.length === 0 ? "harmless" : "changes", risks };
}

function chordRisks({ reach, asked }: RiskContext): Risk[] {
  return reach.chords.flatMap((chord) => {
    const harm = chordHarm(chord);
    if (!harm) return [];
    const why = `presses ${spellChord(chord)}, which ${CHORD_WORDS[harm]}`;
    const risk: Risk = { kind: harm, why };
    return asked === undefined || isNamed(chord, asked) || (harm !== "system" && harmsIn(asked).includes(harm)) ? [risk] : [risk, unasked(`presses ${spellChord(chord)}`)];
  });
}

/** Buttons do what they say; so do the keys that press them. */
function wordRisks(action: Action, { words: said, asked, reach }: RiskContext): Risk[] {
  const presses = reach.chords.some(({ modifiers, keys }) => modifiers.length === 0 && (keys.includes("enter") || keys.includes("space")));
  if (!POINTING.has(action.type) && !presses) return [];
  const words = action.type === "type" ? said.replaceAll(action.text.trim(), "") : said;
  const risks = harmRisks(words, asked, " by the model's own words");
  return saysScreenAsks(words) ? [...risks, { kind: "unasked", why: "is done because the screen says so, by the model's own words" }] : risks;
}

/** What words on or about a button speak of. @param whence goes on from "may delete something" */
export function harmRisks(words: string, asked: string | undefined, whence: string): Risk[] {
  const wanted = asked === undefined ? undefined : harmsIn(asked);
  return harmsIn(words).flatMap((harm): Risk[] => {
    const risk: Risk = { kind: harm, why: `may ${HARM_WORDS[harm]}${whence}` };
    return !wanted || wanted.includes(harm) ? [risk] : [risk, unasked(`may ${HARM_WORDS[harm]}`)];
  });
}

function textRisks(action: Action, { asked, reach, words }: RiskContext): Risk[] {
  const risks: Risk[] = action.type === "type" ? secretNames(action.text).map((name) => ({ kind: "secret", why: `types the secret ${name}` })) : [];
  const text = action.type === "type" ? splitSecrets(action.text).flatMap((part) => ("plain" in part ? part.plain : [])).join(" ") : reach.texts.join("");
  const why = whyUnaskedText(text, reach.typedSoFar, asked);
  if (why !== undefined) risks.push({ kind: "unasked", why });
  else if (action.type === "type" && saysScreenAsks(words.replaceAll(action.text.trim(), ""))) risks.push({ kind: "unasked", why: "is done because the screen says so, by the model's own words" });
  return risks;
}

function terminalRisks(action: Action, windows: Reach["windows"]): Risk[] {
  const types = action.type === "type" || action.type === "key" || action.type === "hold_key";
  const terminal = types && windows.find((window): window is WindowInfo => window !== undefined && isTerminal(window));
  return terminal ? [{ kind: "terminal", why: `goes to the terminal ${JSON.stringify(terminal.title)}` }] : [];
}

/** Nobody here knows better what a function does than whoever gave it. */
function declaredRisks(action: Action, declared: RiskClass = "risky"): Risk[] {
  return action.type === "call" && declared === "risky" ? [{ kind: "function", why: `calls ${action.name}, which may do harm` }] : [];
}

function unasked(what: string): Risk {
  return { kind: "unasked", why: `${what}, which the task says nothing of` };
}

/** Whether a person named the keys: "press ctrl+w", "press Delete". */
function isNamed({ modifiers, keys }: Chord, asked: string): boolean {
  const words: ReadonlySet<string> = new Set(asked.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
  return [...modifiers, ...keys].every((key) => words.has(key));
}
