import { part } from "../../../server/page/dom.js";
import type { Connection } from "./connection.js";
import { setText } from "./steps-view.js";
import type { Story } from "./story.js";

/** Pause, one step, stop: by buttons, and by keys wherever no text is written. */
export class Controls {
  readonly #connection: Connection;
  readonly #pause = part("pause", HTMLButtonElement);
  readonly #step = part("one-step", HTMLButtonElement);
  readonly #stop = part("stop-run", HTMLButtonElement);
  readonly #problem = part("problem", HTMLElement);
  #isPaused = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#pause.addEventListener("click", () => this.#steer(this.#isPaused ? "resume" : "pause"));
    this.#step.addEventListener("click", () => this.#steer("step"));
    this.#stop.addEventListener("click", () => this.#steer("stop"));
    const keys: Record<string, HTMLButtonElement> = { p: this.#pause, n: this.#step, Escape: this.#stop };
    document.addEventListener("keydown", (event) => {
      if (event.target instanceof HTMLInputElement || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
      // A button that is disabled is not clicked.
      keys[event.key]?.click();
    });
  }

  show({ mode, result }: Story, isConnected: boolean): void {
    this.#isPaused = mode.mode === "paused";
    setText(this.#pause.querySelector("span")!, this.#isPaused ? "Go on" : "Pause");
    this.#pause.dataset["paused"] = String(this.#isPaused);
    for (const button of [this.#pause, this.#step, this.#stop]) button.disabled = !isConnected || result !== undefined;
  }

  #steer(wanted: "pause" | "resume" | "step" | "stop"): void {
    this.#connection.send("steer", { do: wanted }).then(
      () => (this.#problem.textContent = ""),
      (error: unknown) => (this.#problem.textContent = error instanceof Error ? error.message : String(error)),
    );
  }
}
