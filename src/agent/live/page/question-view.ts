import { announce, element, part } from "../../../server/page/dom.js";
import type { LiveQuestion } from "../live-events.js";
import type { Connection } from "./connection.js";

/** So long nothing can be pressed: a key or a click that was meant for something else must not answer. */
const GUARD_MS = 500;

/** What a person is asked, and what they say to it. */
export class QuestionView {
  readonly #connection: Connection;
  readonly #card = part("question", HTMLElement);
  #shown: string | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  show(question: LiveQuestion | undefined): void {
    if (question?.id === this.#shown) return;
    this.#shown = question?.id;
    this.#card.hidden = question === undefined;
    this.#card.replaceChildren(...(question ? [this.#form(question)] : []));
    if (question) announce(question.kind === "approval" ? `May it do this? ${question.description}` : question.text);
  }

  #form(question: LiveQuestion): HTMLFormElement {
    const isApproval = question.kind === "approval";
    const problem = element("p", { class: "wrong", role: "alert" });
    const words = element("input", { type: "text", autocomplete: "off", maxlength: "2000", "aria-label": isApproval ? "Why not" : "Your answer", placeholder: isApproval ? "Why not (optional; the model is told)" : "Your answer" });
    const buttons = isApproval
      ? [button("solid", "Approve", "approve"), button("plain", "Deny", "refuse"), button("plain danger", "Stop the run", "stop")]
      : [button("solid", "Answer", "answer"), button("plain danger", "Stop the run", "stop")];
    const answers = element("div", { class: "row answers" }, ...buttons);
    const parts = isApproval ? [element("h2", {}, "May it do this?"), ...this.#request(question)] : [element("h2", {}, "The model asks"), element("p", { class: "asked" }, question.text)];
    // Of an approval the words go with the refusal, so they do not stand before the first button.
    const form = element("form", {}, ...parts, ...(isApproval ? [answers, words] : [words, answers]), problem);
    const answer = (pressed: string) => void this.#answer(question, pressed, words.value.trim(), problem);
    for (const one of buttons) {
      one.disabled = true;
      one.addEventListener("click", () => answer(one.value));
    }
    setTimeout(() => buttons.forEach((one) => (one.disabled = false)), GUARD_MS);
    // Return in the field: words about an action are against it.
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (words.value.trim() !== "") answer(isApproval ? "refuse" : "answer");
    });
    return form;
  }

  #request(question: Extract<LiveQuestion, { kind: "approval" }>): HTMLElement[] {
    const { description, risks, mark, id } = question;
    const image = element("img", { alt: "What the target looks like" });
    const view = element("div", { class: "target" }, image);
    void this.#connection.picture(`questions/${id}/picture`).then(
      (address) => (image.src = address),
      () => view.remove(),
    );
    image.addEventListener("load", () => {
      URL.revokeObjectURL(image.src);
      if (mark) view.append(ringAt(mark));
    });
    const reasons = risks.length > 0 ? [element("p", { class: "why" }, "It is asked about because it"), element("ul", { class: "risks" }, ...risks.map((why) => element("li", {}, why)))] : [];
    return [element("p", { class: "asked" }, description), view, ...reasons];
  }

  async #answer(question: LiveQuestion, pressed: string, words: string, problem: HTMLElement): Promise<void> {
    try {
      const verdict = { verdict: pressed, ...(pressed !== "approve" && words !== "" && { reason: words }) };
      await this.#connection.send(`questions/${question.id}`, question.kind === "approval" ? verdict : { words: pressed === "stop" ? "" : words });
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
    }
  }
}

function button(kind: string, label: string, value: string): HTMLButtonElement {
  return element("button", { type: "button", class: kind, value }, label);
}

function ringAt({ x, y }: { x: number; y: number }): HTMLElement {
  const ring = element("i", { class: "ring" });
  ring.style.left = `${x * 100}%`;
  ring.style.top = `${y * 100}%`;
  return ring;
}
