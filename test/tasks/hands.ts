import type { ActionInput, Point } from "../../src/agent/actions.js";
import { elementOf, middle, reportOf, type Box, type Element, type Report, type Scene } from "./scene.js";
import type { Move } from "./task.js";

type Click = Extract<ActionInput, { type: "click" }>;

const CLICKS = ["Click", "Double-click", "Triple-click"];

/** Canonical actions on an application, aimed by what it says of itself at that moment. */
export class Hands {
  readonly scene: Scene;
  readonly #remembered: Report | undefined;

  /** @param remembered what the application said earlier: it is not asked again, and acted on whether or not it answers */
  constructor(scene: Scene, remembered?: Report) {
    this.scene = scene;
    this.#remembered = remembered;
  }

  async element(name: string): Promise<Element> {
    return elementOf(await this.#report(), name);
  }

  /** Where something is taken hold of. */
  async at(name: string): Promise<Point> {
    const { box, indicator } = await this.element(name);
    return middle(indicator ?? box);
  }

  /** Where these words stand in Notes. */
  async phrase(words: string): Promise<Box> {
    return (await this.scene.ask("phrase", { words })) as Box;
  }

  async click(name: string, how: Omit<Click, "type" | "at"> = {}): Promise<Move> {
    return { words: `${CLICKS[(how.count ?? 1) - 1]} ${name}`, action: { type: "click", at: await this.at(name), ...how }, again: () => this.click(name, how) };
  }

  type(text: string): Move {
    return { words: `Type ${JSON.stringify(text)}`, action: { type: "type", text } };
  }

  key(...keys: string[]): Move {
    return { words: `Press ${keys.join("+")}`, action: { type: "key", keys } };
  }

  answer(text: string): Move {
    return { words: `Answer ${text}`, action: { type: "answer", text } };
  }

  /** Into a field, whatever it holds. */
  async *fill(name: string, text: string): AsyncGenerator<Move, void, unknown> {
    yield this.click(name);
    yield this.key("ctrl", "a");
    yield this.type(text);
  }

  /** Closes a pop-up, if there is one: what any sensible agent does before it goes on. */
  async popUp(): Promise<Move | undefined> {
    const { windows, elements } = await this.#report();
    const popUp = windows.find(({ role }) => role === "popup");
    if (!popUp) return undefined;
    const button = elements.find(({ kind, name }) => kind === "button" && !this.#own.includes(name));
    if (!button) throw new Error(`Expected a button in ${popUp.title} but there is none.`);
    return { words: `Click ${button.name}`, action: { type: "click", at: middle(button.box) } };
  }

  #report(): Promise<Report> {
    return this.#remembered ? Promise.resolve(this.#remembered) : reportOf(this.scene);
  }

  readonly #own = ["Start", "Continue", "Save", "Delete"];
}
