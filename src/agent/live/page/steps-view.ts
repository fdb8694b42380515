import { element, part } from "../../../server/page/dom.js";
import type { Story, StoryStep } from "./story.js";

/** The steps so far, to go back to, and what is known of the one that is shown. */
export class StepsView {
  readonly #list = part("steps", HTMLOListElement);
  readonly #details = part("step", HTMLElement);
  readonly #follow = part("follow", HTMLButtonElement);
  readonly #rows = new Map<number, { row: HTMLLIElement; button: HTMLButtonElement; title: HTMLElement; time: HTMLElement }>();
  readonly #onChange: () => void;
  /** The step that was chosen; the latest one unless one was. */
  #chosen: number | undefined;
  #drawn = "";

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#follow.addEventListener("click", () => this.#choose(undefined));
  }

  /** The step to show. */
  shown(story: Story): StoryStep | undefined {
    return (this.#chosen === undefined ? undefined : story.steps.get(this.#chosen)) ?? story.current;
  }

  show(story: Story): void {
    const shown = this.shown(story);
    this.#follow.hidden = this.#chosen === undefined;
    for (const number of this.#rows.keys()) if (!story.steps.has(number)) this.#forget(number);
    for (const step of story.steps.values()) this.#showRow(step, step === shown);
    this.#showDetails(shown, story.run?.dryRun ?? false);
  }

  forget(): void {
    this.#chosen = undefined;
  }

  #choose(step: number | undefined): void {
    this.#chosen = step;
    this.#onChange();
  }

  #forget(number: number): void {
    this.#rows.get(number)?.row.remove();
    this.#rows.delete(number);
  }

  #showRow(step: StoryStep, isShown: boolean): void {
    const { row, button, title, time } = this.#rows.get(step.step) ?? this.#addRow(step.step);
    setText(title, titleOf(step));
    setText(time, step.ended ? seconds(step.ended.totalMs) : "…");
    row.classList.toggle("failed", step.ended?.error !== undefined || step.ended?.notDone !== undefined);
    button.setAttribute("aria-current", isShown ? "step" : "false");
  }

  #addRow(number: number) {
    const title = element("span", { class: "words" });
    const time = element("span", { class: "time" });
    const button = element("button", { type: "button" }, element("span", { class: "number" }, String(number)), title, time);
    button.addEventListener("click", () => this.#choose(number));
    const row = element("li", {}, button);
    this.#list.prepend(row);
    const made = { row, button, title, time };
    this.#rows.set(number, made);
    return made;
  }

  #showDetails(step: StoryStep | undefined, dryRun: boolean): void {
    // Built anew only when something is new, so that a selection in it and its scroll position stay.
    const drawn = JSON.stringify([step, dryRun]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#details.replaceChildren(...(step ? detailsOf(step, dryRun) : []));
    const last = [...this.#details.querySelectorAll("pre")].at(-1);
    if (last && step && !step.ended) last.scrollTop = last.scrollHeight;
  }
}

function detailsOf(step: StoryStep, dryRun: boolean): Node[] {
  const { plan, ended, replies } = step;
  const words = plan?.actions ?? [];
  const doing = dryRun ? "Would do" : ended ? "Planned" : "Next";
  return [
    element("h2", {}, element("span", { class: "number" }, String(step.step)), titleOf(step)),
    ...(words.length > 0 ? [element("p", { class: "doing" }, element("b", {}, `${doing}: `), words.join(", then "))] : []),
    ...(ended?.notes ?? []).map((note) => element("p", { class: "note" }, note)),
    ...(ended?.notDone === undefined ? [] : [element("p", { class: "note" }, `Not done: ${ended.notDone}`)]),
    ...(ended?.error === undefined ? [] : [element("p", { class: "wrong" }, ended.error)]),
    ...replies.flatMap(replyParts),
  ];
}

function replyParts({ target, thinking, text, refused }: StoryStep["replies"][number]): Node[] {
  return [
    ...(target === undefined ? [] : [element("p", { class: "faint" }, `Looking for: ${target}`)]),
    ...(thinking === "" ? [] : [element("pre", { class: "thinking", tabindex: "0", "aria-label": "The model's thinking" }, thinking)]),
    element("pre", { tabindex: "0", "aria-label": "The model's words" }, text === "" ? "…" : text),
    ...(refused === undefined ? [] : [element("p", { class: "wrong" }, `This could not be used: ${refused}`)]),
  ];
}

function titleOf({ plan, screen, ended }: StoryStep): string {
  return ended?.title ?? plan?.title ?? (screen ? "The model reads the screen" : "Looking at the screen");
}

export function seconds(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const whole = Math.floor(ms / 1000);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}

export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
