/** What a person can say at any time; everything else is a task or an answer. */
export type Control = "stop" | "pause" | "resume" | "end";

const ADDRESS = "(?:(?:please|computer|okay|now|hey) )*";
const TAIL = "(?: (?:it|that|this|now|please|everything|stop|the task))*";
const CONTROLS: readonly (readonly [Control, RegExp])[] = [
  ["end", new RegExp(`^${ADDRESS}(?:stop listening|quit listening|good ?bye?)(?: please| now)*$`)],
  ["stop", new RegExp(`^${ADDRESS}(?:stop|halt|abort|cancel)${TAIL}$`)],
  ["pause", new RegExp(`^${ADDRESS}(?:pause|wait|wait a moment)${TAIL}$`)],
  ["resume", new RegExp(`^${ADDRESS}(?:continue|resume|go on|carry on)${TAIL}$`)],
];

/** The words alone, in lower case. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}' ]+/gu, " ")
    .replace(/ +/g, " ")
    .trim();
}

export function controlIn(text: string): Control | undefined {
  const said = plain(text);
  return CONTROLS.find(([, pattern]) => pattern.test(said))?.[0];
}

/** Nothing but a plain yes is a yes; undefined when it is neither. */
export function yesOrNo(text: string): boolean | undefined {
  const said = plain(text);
  if (/^(?:yes|yes please|allow|allow it|allow that)$/.test(said)) return true;
  return /^(?:no|don't|do not|refuse)\b/.test(said) ? false : undefined;
}

/** A task as the agent is given it: without the full stop that a transcript ends with. */
export function toTask(text: string): string {
  return text.trim().replace(/[.!]+$/, "");
}
