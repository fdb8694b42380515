import { takePicture } from "./camera.js";
import type { Picture } from "./conversation.js";
import { announce, element, iconButton, part } from "./dom.js";
import { Recording } from "./microphone.js";
import { readPicture } from "./pictures.js";
import { asProblem } from "./problems.js";

export interface ComposerOptions {
  onSend: (text: string, pictures: Picture[]) => void;
  onStop: () => void;
  transcribe: (sound: Blob) => Promise<string>;
}

/** Without a keyboard Enter begins a new line, since there is no Shift+Enter, and a focus nobody asked for covers half the screen. */
const FINGERS = matchMedia("(hover: none) and (pointer: coarse)");

/** Where a message is written: text, pictures, speech. */
export class Composer {
  readonly #text = part("prompt", HTMLTextAreaElement);
  readonly #pictures = part("pictures", HTMLElement);
  readonly #notice = part("notice", HTMLElement);
  readonly #send = part("send", HTMLButtonElement);
  readonly #stop = part("stop", HTMLButtonElement);
  readonly #microphone = part("microphone", HTMLButtonElement);
  readonly #options: ComposerOptions;
  #attached: Picture[] = [];
  #recording: Recording | undefined;
  #isBusy = false;

  constructor(options: ComposerOptions) {
    this.#options = options;
    const file = part("file", HTMLInputElement);
    part("attach", HTMLButtonElement).addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      void this.#addFiles([...(file.files ?? [])]);
      file.value = "";
    });
    part("open-camera", HTMLButtonElement).addEventListener("click", () => void this.#try(async () => this.#add(await takePicture())));
    this.#microphone.addEventListener("click", () => void this.#try(() => this.#listenOrWrite()));
    part("composer", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#stop.addEventListener("click", () => options.onStop());
    this.#text.addEventListener("input", () => this.#update());
    this.#text.addEventListener("keydown", (event) => {
      // The Enter that ends a composition, as of Japanese, is not meant for us.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || FINGERS.matches) return;
      event.preventDefault();
      this.#submit();
    });
    document.addEventListener("paste", ({ clipboardData }) => void this.#addFiles([...(clipboardData?.files ?? [])]));
    this.#watchDrops();
    this.#update();
  }

  focus(): void {
    if (!FINGERS.matches) this.#text.focus();
  }

  /** While an answer comes, the button stops it. */
  set isBusy(isBusy: boolean) {
    this.#isBusy = isBusy;
    const had = document.activeElement;
    this.#send.hidden = isBusy;
    this.#stop.hidden = !isBusy;
    if (had === this.#send || had === this.#stop) this.focus();
    this.#update();
  }

  /** Why the microphone cannot be used; undefined when it can. */
  set deafBecause(reason: string | undefined) {
    this.#microphone.disabled = reason !== undefined;
    this.#microphone.title = reason ?? "Speak";
    this.#microphone.setAttribute("aria-label", reason === undefined ? "Speak" : `Speak (${reason})`);
  }

  /** Ends a recording without using it. @returns whether there was one. */
  cancelRecording(): boolean {
    if (!this.#recording) return false;
    void this.#recording.cancel();
    this.#showRecording(undefined);
    announce("Recording discarded");
    return true;
  }

  #submit(): void {
    const text = this.#text.value.trim();
    if (this.#isBusy || (text === "" && this.#attached.length === 0)) return;
    const pictures = this.#attached;
    this.#attached = [];
    this.#text.value = "";
    this.#say("");
    this.#update();
    this.#options.onSend(text, pictures);
  }

  async #addFiles(files: File[]): Promise<void> {
    for (const file of files) await this.#try(async () => this.#add(await readPicture(file)));
  }

  #add(picture: Picture | undefined): void {
    if (!picture) return;
    this.#attached.push(picture);
    announce(`${picture.name} added`);
    this.#update();
    this.focus();
  }

  /** The first press listens, the second writes down what was heard. */
  async #listenOrWrite(): Promise<void> {
    if (!this.#recording) {
      this.#showRecording(await Recording.start());
      announce("Recording. Press again to write it down, Escape to discard it.");
      return;
    }
    const recording = this.#recording;
    this.#showRecording(undefined);
    this.#microphone.disabled = true;
    this.#say("Writing down what was said …");
    try {
      const heard = await this.#options.transcribe(await recording.stop());
      const before = this.#text.value;
      this.#text.value = before === "" || /\s$/.test(before) ? before + heard : `${before} ${heard}`;
      this.#say(heard === "" ? "Nothing was understood. Speak a little longer, closer to the microphone." : "");
    } finally {
      this.#microphone.disabled = false;
      this.#update();
      this.focus();
    }
  }

  #showRecording(recording: Recording | undefined): void {
    this.#recording = recording;
    this.#microphone.setAttribute("aria-pressed", String(recording !== undefined));
  }

  #watchDrops(): void {
    const veil = part("drop", HTMLElement);
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    document.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      veil.hidden = false;
    });
    document.addEventListener("dragleave", ({ relatedTarget }) => {
      if (relatedTarget === null) veil.hidden = true;
    });
    document.addEventListener("drop", (event) => {
      veil.hidden = true;
      if (!hasFiles(event)) return;
      event.preventDefault();
      void this.#addFiles([...(event.dataTransfer?.files ?? [])]);
    });
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      this.#say("");
      await work();
    } catch (error) {
      const { message, advice } = asProblem(error);
      this.#say(`${message} ${advice}`);
    }
  }

  #say(notice: string): void {
    this.#notice.textContent = notice;
    this.#notice.hidden = notice === "";
  }

  #update(): void {
    // The style grows it with its text, where the browser can; this does so everywhere.
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
    this.#send.disabled = this.#text.value.trim() === "" && this.#attached.length === 0;
    this.#pictures.hidden = this.#attached.length === 0;
    this.#pictures.replaceChildren(
      ...this.#attached.map((picture) => {
        const remove = iconButton("close", `Remove ${picture.name}`, () => {
          this.#attached = this.#attached.filter((other) => other !== picture);
          this.#update();
          this.focus();
        });
        return element("li", {}, element("img", { src: picture.url, alt: picture.name }), remove);
      }),
    );
  }
}
