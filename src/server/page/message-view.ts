import type { AssistantTurn, ToolCall, Turn, UserTurn } from "./conversation.js";
import { copyFrom, element, iconButton } from "./dom.js";
import { MarkdownView } from "./markdown.js";

/** What can be done with a message. */
export interface MessageActions {
  edit: (turn: UserTurn, text: string) => void;
  retry: (turn: AssistantTurn) => void;
  giveResults: (turn: AssistantTurn) => void;
  openSettings: () => void;
}

export interface MessageView {
  readonly element: HTMLElement;
  /** Shows what has come to the turn since. */
  update(): void;
}

export function viewOf(turn: Turn, actions: MessageActions): MessageView {
  return turn.role === "user" ? new UserView(turn, actions) : new AssistantView(turn, actions);
}

class UserView implements MessageView {
  readonly element = element("article", { class: "message user", "aria-label": "You" });
  readonly #turn: UserTurn;
  readonly #actions: MessageActions;

  constructor(turn: UserTurn, actions: MessageActions) {
    this.#turn = turn;
    this.#actions = actions;
    this.update();
  }

  update(): void {
    const { text, pictures, lostPictures } = this.#turn;
    const bubble = element("div", { class: "bubble" });
    if (pictures.length > 0) bubble.append(element("div", { class: "shown-pictures" }, ...pictures.map(({ url, name }) => element("img", { src: url, alt: name }))));
    if (lostPictures) bubble.append(element("p", { class: "faint" }, "Pictures are not kept when the page is loaded again."));
    if (text !== "") bubble.append(element("p", { class: "words" }, text));
    const edit = iconButton("edit", "Edit this message", () => this.#edit());
    this.element.replaceChildren(bubble, element("div", { class: "actions" }, edit));
  }

  #edit(): void {
    const field = element("textarea", { "aria-label": "Message", rows: "3" });
    field.value = this.#turn.text;
    const form = element("form", { class: "bubble editing" }, field, element("div", { class: "row" }, button("Cancel", "button"), button("Send again", "submit")));
    const leave = () => {
      this.update();
      this.element.querySelector<HTMLElement>(".actions button")?.focus();
    };
    form.querySelector("button[type=button]")?.addEventListener("click", leave);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (field.value.trim() !== "" || this.#turn.pictures.length > 0) this.#actions.edit(this.#turn, field.value.trim());
    });
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") {
        event.stopPropagation();
        leave();
      } else if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    this.element.replaceChildren(form);
    field.focus();
  }
}

class AssistantView implements MessageView {
  readonly element = element("article", { class: "message assistant", "aria-label": "Answer" });
  readonly #turn: AssistantTurn;
  readonly #actions: MessageActions;
  readonly #thinking = element("details", { class: "fold thinking" }, element("summary", {}), element("div", { class: "inside" }));
  readonly #thoughts = new MarkdownView();
  readonly #text = new MarkdownView();
  readonly #calls = element("div", { class: "calls" });
  readonly #foot = element("div", { class: "foot" });

  constructor(turn: AssistantTurn, actions: MessageActions) {
    this.#turn = turn;
    this.#actions = actions;
    this.#thinking.lastElementChild?.append(this.#thoughts.element);
    this.element.append(this.#thinking, this.#text.element, this.#calls, this.#foot);
    this.update();
  }

  update(): void {
    const { text, reasoning, calls, end } = this.#turn;
    this.element.classList.toggle("running", end === undefined);
    this.element.classList.toggle("waiting", end === undefined && text === "" && reasoning === "" && calls.length === 0);
    this.#thinking.hidden = reasoning === "";
    this.#thinking.firstElementChild?.replaceChildren(end === undefined && text === "" && calls.length === 0 ? "Thinking …" : "Thought");
    this.#thoughts.show(reasoning);
    this.#text.show(text);
    for (const [index, call] of calls.entries()) this.#showCall(index, call);
    if (end !== undefined) this.#finish();
  }

  #showCall(index: number, call: ToolCall): void {
    let fold = this.#calls.children.item(index);
    if (!fold) {
      fold = element("details", { class: "fold call" }, element("summary", {}, element("span", { class: "name" }), element("code", {})), element("div", { class: "inside" }, element("pre", { tabindex: "0", "aria-label": "Arguments" })));
      this.#calls.append(fold);
    }
    const [name, short] = fold.querySelectorAll("summary > *");
    if (name) name.textContent = call.name;
    if (short) short.textContent = call.arguments;
    const whole = fold.querySelector("pre");
    if (whole) whole.textContent = indented(call.arguments);
  }

  #finish(): void {
    const turn = this.#turn;
    if (turn.end === "tool_calls") this.#askForResults();
    const told = [notes(turn), costs(turn)].filter((line) => line !== "").join(" · ");
    const actions = element("div", { class: "actions" });
    if (turn.text !== "") actions.append(iconButton("copy", "Copy the answer", (button) => void copyFrom(button, turn.text, this.#text.element)));
    actions.append(iconButton("retry", "Try again", () => this.#actions.retry(turn)));
    this.#foot.replaceChildren(...(turn.problem ? [this.#problem(turn.problem)] : []), element("div", { class: "row" }, actions, element("p", { class: "faint stats" }, told)));
  }

  #problem({ message, advice, offer }: NonNullable<AssistantTurn["problem"]>): HTMLElement {
    const box = element("div", { class: "problem", role: "alert" }, element("strong", {}, message), ` ${advice} `);
    if (offer === "retry") box.append(button("Try again", "button", () => this.#actions.retry(this.#turn)));
    if (offer === "settings") box.append(button("Open settings", "button", () => this.#actions.openSettings()));
    return box;
  }

  /** The page runs nothing itself: whoever gave the tools gives their results. */
  #askForResults(): void {
    for (const [index, call] of this.#turn.calls.entries()) {
      const inside = this.#calls.children.item(index)?.querySelector(".inside");
      inside?.querySelector(".result")?.remove();
      if (call.result !== undefined) {
        inside?.append(element("div", { class: "result" }, element("span", { class: "faint" }, "Result"), element("pre", { tabindex: "0", "aria-label": "Result" }, indented(call.result))));
        continue;
      }
      const field = element("textarea", { rows: "2", "aria-label": `Result of ${call.name}`, placeholder: "What the function returned" });
      const form = element("form", { class: "result" }, field, element("div", { class: "row" }, button("Give result", "submit")));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        call.result = field.value;
        this.update();
        if (this.#turn.calls.every(({ result }) => result !== undefined)) this.#actions.giveResults(this.#turn);
      });
      inside?.append(form);
    }
  }
}

function button(label: string, type: "button" | "submit", onClick?: () => void): HTMLButtonElement {
  const made = element("button", { type, class: type === "submit" ? "solid" : "plain" }, label);
  if (onClick) made.addEventListener("click", onClick);
  return made;
}

/** Whatever of the end is not plain to see. */
function notes({ end, calls }: AssistantTurn): string {
  if (end === "length") return "cut at the token limit";
  if (end === "stopped") return "stopped";
  if (end === "tool_calls" && calls.some(({ result }) => result === undefined)) return "waits for the result";
  return "";
}

function costs({ usage, firstTokenMs, tokensPerSecond }: AssistantTurn): string {
  const cached = usage?.prompt_tokens_details?.cached_tokens;
  return [
    ...(usage ? [`${count(usage.prompt_tokens)} in${cached ? ` (${count(cached)} cached)` : ""}`, `${count(usage.completion_tokens)} out`] : []),
    ...(tokensPerSecond === undefined ? [] : [`${tokensPerSecond.toFixed(1)} tokens/s`]),
    ...(firstTokenMs === undefined ? [] : [`first after ${(firstTokenMs / 1000).toFixed(2)} s`]),
  ].join(" · ");
}

const count = (tokens: number) => tokens.toLocaleString("en");

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), undefined, 2);
  } catch {
    return json;
  }
}
