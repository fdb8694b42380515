import { element, part } from "../../../server/page/dom.js";
import type { Link } from "./connection.js";
import { seconds, setText } from "./steps-view.js";
import type { Story } from "./story.js";

/** How the run stands: in a word, in the window's title, and against its limits. */
export class StatusView {
  readonly #mode = part("mode", HTMLElement);
  readonly #link = part("link", HTMLElement);
  readonly #task = part("task", HTMLElement);
  readonly #facts = part("facts", HTMLElement);
  readonly #result = part("result", HTMLElement);
  readonly #budgets = part("budgets", HTMLElement);
  readonly #rows = new Map<string, { value: HTMLElement; bar: HTMLElement }>();

  show(story: Story, link: Link): void {
    const { run, result } = story;
    const [kind, word] = modeOf(story, link);
    setText(this.#mode, word);
    this.#mode.dataset["mode"] = kind;
    document.title = `${word} · ${run?.task ?? "Deskhand"}`;
    setText(this.#link, linkWords(link, story.isOver));
    this.#link.hidden = this.#link.textContent === "";
    setText(this.#task, run?.task ?? (story.heard ? "Listening" : "Getting ready"));
    setText(this.#facts, run ? `${run.model} on ${run.display}${run.dryRun ? " · dry run: it would do this, and touches nothing" : ""}` : story.heard ? "Say what to do." : "The model is loaded and the display opened.");
    this.#result.hidden = result === undefined;
    if (result) {
      this.#result.dataset["success"] = String(result.success);
      setText(this.#result, [result.reason, ...(result.answer === undefined ? [] : [`Answer: ${result.answer}`])].join("\n"));
    }
    if (run) this.#showBudgets(story, run);
  }

  #showBudgets({ steps, tokens, result }: Story, run: NonNullable<Story["run"]>): void {
    const elapsedMs = result?.durationMs ?? Math.max(0, Date.now() - Date.parse(run.startedAt));
    this.#budget("Steps", steps.size, run.maxSteps, String);
    this.#budget("Time", elapsedMs, run.maxSeconds === undefined ? undefined : run.maxSeconds * 1000, seconds);
    this.#budget("Tokens", tokens, run.maxTokens, (count) => count.toLocaleString("en"));
  }

  #budget(name: string, spent: number, limit: number | undefined, inWords: (value: number) => string): void {
    const row = this.#rows.get(name) ?? this.#addBudget(name);
    setText(row.value, limit === undefined ? inWords(spent) : `${inWords(spent)} of ${inWords(limit)}`);
    row.bar.hidden = limit === undefined;
    const share = Math.min(1, spent / (limit ?? Infinity));
    row.bar.style.setProperty("--share", String(share));
    row.bar.classList.toggle("low", share >= 0.8);
  }

  #addBudget(name: string) {
    const value = element("dd");
    const bar = element("span", { class: "meter", "aria-hidden": "true" });
    this.#budgets.append(element("div", {}, element("dt", {}, name), value, bar));
    const made = { value, bar };
    this.#rows.set(name, made);
    return made;
  }
}

function modeOf({ run, result, question, mode, current, heard }: Story, link: Link): [kind: string, word: string] {
  if (result) return result.success ? ["done", "Done"] : ["failed", "Not done"];
  if (link === "refused") return ["failed", "No access"];
  if (link === "lost") return ["paused", "Not connected"];
  if (question) return ["asking", question.kind === "approval" ? "Waits for your approval" : "Waits for your answer"];
  if (mode.mode === "paused") return ["paused", `Paused${mode.reason ? `: ${mode.reason}` : ""}`];
  if (!run) return ["working", heard ? "Listening" : "Getting ready"];
  return ["working", current?.plan && !current.ended ? (run.dryRun ? "Would do this" : "Acting") : current?.screen ? "Thinking" : "Looking"];
}

function linkWords(link: Link, isOver: boolean): string {
  if (link === "refused") return "This page opens only by the whole address that the run printed, with what stands behind its #.";
  if (link === "lost") return isOver ? "The run is over and its page is closed; what it recorded is in its folder." : "The connection is lost. The run may go on without this page; trying again.";
  return "";
}
