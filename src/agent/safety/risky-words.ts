/** What an action may do that is hard to undo, or that a person would want to know of. */
export type Harm = "deletes" | "sends" | "pays" | "closes" | "permits";

/**
 * English words on and about buttons: those of the model about what it presses, and those that a model reads there. A button in another
 * language, or without words, is not caught.
 */
const WORDS: Readonly<Record<Harm, RegExp>> = {
  deletes: /\b(?:delet|remov|eras|trash|discard|wip(?:e|ing)|uninstall|purg|overwrit|factory reset|reset|revert|empty (?:the )?(?:bin|recycle)|format (?:the )?(?:disk|drive|volume))\w*/i,
  sends: /\b(?:send|sent|submit|publish|post|share|upload|tweet|invite)(?:s|ing|ting)?\b/i,
  pays: /\b(?:pay|payment|buy|purchas|check ?out|(?:place|confirm) (?:the |your |my )?order|order now|book now|donat|subscrib|transfer|bid)\w*/i,
  closes: /\b(?:clos(?:e|es|ing)|quit|exit|shut(?:ting)? ?down|restart|reboot|log(?:ging)? ?(?:out|off)|sign(?:ing)? ?out|power off|force stop|end task|kill)\b/i,
  permits: /\b(?:install|allow|grant|authori[sz]e|trust|(?:run|proceed|continue) anyway|enable (?:macros|content|editing|developer))\w*/i,
};

/** Closing these loses nothing. */
const PASSING = /\b(?:pop-?ups?|banner|notification|tooltip|toast|hint|ad|advert\w*|(?:drop-?down|context|file|edit|view|help) menu|menu)\b/i;

/** What a model's words about an action, or a task, speak of. */
export function harmsIn(words: string): Harm[] {
  return (Object.keys(WORDS) as Harm[]).filter((harm) => WORDS[harm].test(words) && !(harm === "closes" && PASSING.test(words)));
}
