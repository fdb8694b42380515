import { part } from "../../../server/page/dom.js";
import type { Drawing, Shape } from "../../recorder/shape.js";
import type { Connection } from "./connection.js";
import type { StoryStep } from "./story.js";

const SVG = "http://www.w3.org/2000/svg";

/** The screen of a step, with what is done drawn on it. */
export class ScreenView {
  readonly #connection: Connection;
  readonly #figure = part("screen", HTMLElement);
  readonly #image = part("picture", HTMLImageElement);
  readonly #empty = part("no-picture", HTMLElement);
  #step: number | undefined;
  #drawn: Drawing | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#image.addEventListener("load", () => URL.revokeObjectURL(this.#image.src));
  }

  show(step: StoryStep | undefined, waiting: string): void {
    // Until the next step has its picture, the one before stays.
    if (step !== undefined && step.screen === undefined && step.ended === undefined && this.#step !== undefined) return this.#draw(undefined);
    const screen = step?.screen;
    this.#figure.hidden = screen === undefined;
    this.#empty.hidden = screen !== undefined;
    this.#empty.textContent = step?.ended ? "No screenshot was taken." : waiting;
    if (!step || !screen) return;
    this.#figure.style.setProperty("--ratio", String(screen.width / screen.height));
    this.#image.alt = `The screen before step ${step.step}${step.plan ? `, where the next is: ${step.plan.actions.join(", then ")}` : ""}`;
    if (this.#step !== step.step) {
      this.#step = step.step;
      void this.#load(step.step);
    }
    this.#draw(step.plan?.drawing);
  }

  /** A new run's steps have the same numbers. */
  forget(): void {
    this.#step = undefined;
  }

  async #load(step: number): Promise<void> {
    const address = await this.#connection.picture(`pictures/${step}`).catch(() => undefined);
    if (address === undefined) return;
    if (this.#step === step) this.#image.src = address;
    else URL.revokeObjectURL(address);
  }

  #draw(drawing: Drawing | undefined): void {
    if (drawing === this.#drawn) return;
    this.#drawn = drawing;
    this.#figure.querySelector("svg")?.remove();
    if (drawing) this.#figure.append(toSvg(drawing));
  }
}

/** Built node by node: what a screen or a model says is text in it and nothing else. */
export function toSvg({ width, height, shapes }: Drawing): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, class: "overlay", preserveAspectRatio: "none", "aria-hidden": "true" })) svg.setAttribute(name, value);
  svg.append(...shapes.map(toElement));
  return svg;
}

function toElement({ tag, attributes, children = [], text }: Shape): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children.map(toElement), ...(text === undefined ? [] : [text]));
  return made;
}
