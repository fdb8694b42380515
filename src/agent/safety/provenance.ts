/** What a person has asked for: the task, and what they answered since. */

/** Tasks that leave the words to the model. */
const LEAVES_WORDS = /\b(?:write|compose|draft|reply|answer|respond|summari[sz]e|translate|describe|explain|comment|search|find|look (?:up|for)|google|browse|research|invent|make up|choose|fill (?:in|out)|complete|continue|calculate|compute|solve|code|program|script|any|some|random|example|suitable|appropriate)\b/i;

/** Addresses, and numbers long enough to be an account or a telephone. */
const ADDRESS = /\b(?:[a-z][a-z0-9+.-]*:\/\/\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|app|info|biz|xyz|top|ru|cn|de|uk|me|co|ai|onion)\b\S*|\d{1,3}(?:\.\d{1,3}){3}|[A-Z]{2}\d{2}[ ]?[A-Z0-9]{4}[A-Z0-9 ]{6,}|\+?\d(?:[ -]?\d){7,})/gi;

/** What a shell, a launcher or an address bar would run. */
const COMMAND = /(?:^|[;|&`(\n]|\$\()\s*(?:sudo|su|rm|dd|mkfs\S*|chmod|chown|curl|wget|nc|ncat|ssh|scp|bash|sh|zsh|python3?|perl|node|powershell|pwsh|cmd|reg|regedit|shutdown|reboot|kill|killall|crontab|eval|base64|iex|invoke-\w+)(?:\s+\S|$)|^\s*(?:javascript|data|vbscript):|\$\(|\/etc\/|~\/\./i;

/** Words with which a model gives away that the screen, and not the person, told it to. */
const SAYS_SCREEN_ASKS = /\b(?:screen|page|site|website|pop-?up|message|dialog(?:ue)?|banner|note|notice|text|window|e-?mail|document|instructions?)\b[^.]{0,30}\b(?:says? to|asks?|tells?|instructs?|requests?|demands?|orders?|wants)\b|\b(?:as|following|follow|per|obey(?:ing)?)\b[^.]{0,20}\binstruct\w*|\b(?:ignor\w*|disregard\w*|forget\w*)\b[^.]{0,30}\b(?:task|instructions?|previous|user)\b/i;

/**
 * Why a text seems to come from the screen and not from the person; undefined when it does not. Without the screen's own text this
 * compares with what was asked: at least half of its words, and every address and command, should come from there. A task such as
 * "write a letter" leaves the words to the model, though not addresses and commands; so does a person of whom nothing is known.
 * @param typedSoFar what was typed just before, and this
 * @param asked what the person said; undefined when nobody here knows
 */
export function whyUnaskedText(text: string, typedSoFar: string, asked: string | undefined): string | undefined {
  const wanted = asked?.toLowerCase() ?? "";
  const flat = text.replace(/\s+/g, " ").trim().toLowerCase();
  if (flat === "") return undefined;
  const address = typedSoFar.match(ADDRESS)?.find((found) => !wanted.includes(found.trim().toLowerCase()));
  if (address !== undefined) return `types ${JSON.stringify(address.trim())}, an address or number that is not in the task`;
  if (COMMAND.test(typedSoFar) && !wanted.includes(typedSoFar.trim().toLowerCase())) return "types what looks like a command, which is not in the task";
  if (asked === undefined || LEAVES_WORDS.test(asked) || wanted.replace(/\s+/g, " ").includes(flat)) return undefined;
  const words = wordsOf(flat);
  const known = new Set(wordsOf(wanted));
  const fromTask = words.filter((word) => known.has(word)).length;
  return words.length > 0 && fromTask * 2 < words.length ? "types what the task says nothing of" : undefined;
}

/** Whether the model's own words say that the screen asked for it. */
export function saysScreenAsks(words: string): boolean {
  return SAYS_SCREEN_ASKS.test(words);
}

function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}
