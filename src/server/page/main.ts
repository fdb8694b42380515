import { ChatApi } from "./chat-api.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { part } from "./dom.js";
import { ModelPicker } from "./model-picker.js";
import { SettingsDialog, SettingsStore } from "./settings.js";
import { switchTheme } from "./theme.js";

const settings = new SettingsStore();
const api = new ChatApi(() => settings.apiKey);
let hearing: string | undefined;

const models = new ModelPicker(api, settings, (known) => {
  hearing = known.hearing?.id;
  composer.deafBecause = hearing === undefined ? "no model that hears is served: add a Whisper model" : undefined;
});
const dialog = new SettingsDialog(settings, () => {
  void models.refresh();
  composer.focus();
});
const chat = new Chat({ api, settings, onBusy: (isBusy) => (composer.isBusy = isBusy), openSettings: () => dialog.open(), focusPrompt: () => composer.focus() });
const composer = new Composer({
  onSend: (text, pictures) => chat.send(text, pictures),
  onStop: () => chat.stop(),
  transcribe: (sound) => api.transcribe(sound, hearing ?? "", new AbortController().signal),
});

part("open-settings", HTMLButtonElement).addEventListener("click", () => dialog.open());
part("switch-theme", HTMLButtonElement).addEventListener("click", switchTheme);
part("new-chat", HTMLButtonElement).addEventListener("click", () => {
  chat.clear();
  composer.focus();
});
document.addEventListener("keydown", (event) => {
  // A dialog takes its own Escape.
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (!composer.cancelRecording()) chat.stop();
});

composer.deafBecause = "looking for a model that hears";
composer.focus();
void models.refresh();
