import type { ChatApi, ServedModel } from "./chat-api.js";
import { element, part } from "./dom.js";
import { asProblem } from "./problems.js";
import type { SettingsStore } from "./settings.js";

/** How often a server that still loads its model is asked again. */
const AGAIN_MS = 1_500;
/** What writes down speech is known by its tasks once it is loaded, and before that by its architecture. */
const HEARS = ["whisper"];

/** The list of models, and what follows from it. */
export class ModelPicker {
  readonly #select = part("model", HTMLSelectElement);
  readonly #state = part("server-state", HTMLElement);
  readonly #api: ChatApi;
  readonly #settings: SettingsStore;
  readonly #onModels: (models: { hearing: ServedModel | undefined }) => void;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(api: ChatApi, settings: SettingsStore, onModels: (models: { hearing: ServedModel | undefined }) => void) {
    this.#api = api;
    this.#settings = settings;
    this.#onModels = onModels;
    this.#select.addEventListener("change", () => settings.change({ model: this.#select.value }));
    // Models come and go while nobody looks.
    document.addEventListener("visibilitychange", () => document.hidden || void this.refresh());
  }

  async refresh(): Promise<void> {
    clearTimeout(this.#again);
    try {
      const models = await this.#api.models();
      const usable = models.filter((model) => model.loadable);
      this.#onModels({ hearing: usable.find(hears) });
      this.#show(usable.filter(talks));
    } catch (error) {
      const { message, advice, offer } = asProblem(error);
      this.#say(`${message} ${advice}`);
      // Without the key the answer stays the same.
      if (offer !== "settings") this.#again = setTimeout(() => void this.refresh(), AGAIN_MS);
    }
  }

  #show(models: ServedModel[]): void {
    const wanted = this.#settings.values.model;
    const chosen = models.find(({ id, aliases }) => id === wanted || aliases.includes(wanted)) ?? models.find(({ state }) => state === "loaded") ?? models[0];
    const group = (label: string, part: ServedModel[]) => (part.length === 0 ? undefined : element("optgroup", { label }, ...part.map(({ id }) => element("option", { value: id, selected: id === chosen?.id }, nameOf(id)))));
    const isReady = ({ state }: ServedModel) => state === "loaded";
    const groups = [group("Ready", models.filter(isReady)), group("Loaded when asked", models.filter((model) => !isReady(model)))];
    this.#select.replaceChildren(...groups.filter((made) => made !== undefined));
    this.#select.disabled = models.length === 0;
    this.#select.title = chosen?.id ?? "";
    if (chosen) this.#settings.change({ model: chosen.id });
    this.#say(models.length === 0 ? "The model is still loading …" : "");
    if (models.length === 0) this.#again = setTimeout(() => void this.refresh(), AGAIN_MS);
  }

  #say(text: string): void {
    this.#state.textContent = text;
    this.#state.hidden = text === "";
  }
}

function hears({ tasks, model_type }: ServedModel): boolean {
  return tasks?.includes("transcribe") ?? HEARS.includes(model_type ?? "");
}

function talks({ tasks, model_type }: ServedModel): boolean {
  return tasks?.includes("generate") ?? !HEARS.includes(model_type ?? "");
}

/** Without the owner: there is little room. */
function nameOf(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}
