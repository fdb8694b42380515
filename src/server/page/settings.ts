import { element, part } from "./dom.js";

/** How requests are made. Kept by the browser for the next visit, but for the key, which goes with the tab. */
export interface Settings {
  model: string;
  systemPrompt: string;
  /** Empty: the model's own. */
  temperature: string;
  maxTokens: string;
  /** JSON of the functions that the model may call. */
  tools: string;
}

const KEY = "deskhand.settings";
const API_KEY = "deskhand.key";
const EMPTY: Settings = { model: "", systemPrompt: "", temperature: "", maxTokens: "", tools: "" };

export class SettingsStore {
  values: Settings = { ...EMPTY, ...read() };

  get apiKey(): string {
    return sessionStorage.getItem(API_KEY) ?? "";
  }

  set apiKey(key: string) {
    sessionStorage.setItem(API_KEY, key);
  }

  change(values: Partial<Settings>): void {
    this.values = { ...this.values, ...values };
    localStorage.setItem(KEY, JSON.stringify(this.values));
  }

  /** As fields of a chat request. */
  requestFields(): object {
    const { model, temperature, maxTokens, tools } = this.values;
    const definitions = tools.trim() === "" ? [] : parseTools(tools);
    return {
      ...(model !== "" && { model }),
      ...(temperature !== "" && { temperature: Number(temperature) }),
      ...(maxTokens !== "" && { max_completion_tokens: Number(maxTokens) }),
      ...(definitions.length > 0 && { tools: definitions }),
    };
  }
}

/** The dialog behind the header's button; it keeps what is valid when it closes. */
export class SettingsDialog {
  readonly #store: SettingsStore;
  readonly #dialog = part("settings", HTMLDialogElement);
  readonly #form = part("settings-form", HTMLFormElement);
  readonly #toolsProblem = part("tools-problem", HTMLElement);
  readonly #fields = {
    systemPrompt: part("system-prompt", HTMLTextAreaElement),
    temperature: part("temperature", HTMLInputElement),
    maxTokens: part("max-tokens", HTMLInputElement),
    tools: part("tools", HTMLTextAreaElement),
  };
  readonly #key = part("api-key", HTMLInputElement);

  constructor(store: SettingsStore, onClose: () => void) {
    this.#store = store;
    this.#fields.tools.addEventListener("input", () => this.#checkTools());
    this.#form.addEventListener("submit", ({ submitter }) => {
      if (submitter?.getAttribute("value") === "keep") this.#keep();
    });
    this.#dialog.addEventListener("close", onClose);
  }

  open(): void {
    for (const [name, field] of Object.entries(this.#fields)) field.value = this.#store.values[name as keyof Settings];
    this.#key.value = this.#store.apiKey;
    this.#checkTools();
    this.#dialog.showModal();
  }

  #keep(): void {
    const { systemPrompt, temperature, maxTokens, tools } = this.#fields;
    this.#store.change({ systemPrompt: systemPrompt.value, temperature: temperature.value, maxTokens: maxTokens.value, tools: tools.value });
    this.#store.apiKey = this.#key.value.trim();
  }

  #checkTools(): void {
    const field = this.#fields.tools;
    let problem = "";
    try {
      if (field.value.trim() !== "") parseTools(field.value);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    field.setCustomValidity(problem);
    field.setAttribute("aria-invalid", String(problem !== ""));
    this.#toolsProblem.replaceChildren(...(problem === "" ? [] : [element("span", {}, problem)]));
  }
}

/** Tool definitions: a list of them, or of bare functions, or one. @throws Error that says what was expected. */
function parseTools(text: string): object[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON yet: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return (Array.isArray(value) ? (value as unknown[]) : [value]).map((entry) => {
    const definition = typeof entry === "object" && entry !== null && "function" in entry ? entry.function : entry;
    if (typeof definition !== "object" || definition === null || !("name" in definition) || typeof definition.name !== "string") {
      throw new Error('Expected functions with a "name", as in the tools of a chat request.');
    }
    return { type: "function", function: definition };
  });
}

function read(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>;
  } catch {
    return {};
  }
}
