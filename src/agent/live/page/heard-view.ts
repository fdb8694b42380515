import { element, part } from "../../../server/page/dom.js";
import type { Story } from "./story.js";

/** What was heard last, where runs are asked for by voice. */
export class HeardView {
  readonly #list = part("heard", HTMLUListElement);
  #shown: readonly string[] = [];

  show({ heard }: Story): void {
    const said = heard?.said ?? [];
    this.#list.hidden = said.length === 0;
    if (said === this.#shown) return;
    this.#shown = said;
    this.#list.replaceChildren(...said.map((words) => element("li", {}, words)));
  }
}
