import type { ChatApi, Chunk } from "./chat-api.js";
import { addCallDelta, Conversation, type AssistantTurn, type Picture, type Turn } from "./conversation.js";
import { announce, part } from "./dom.js";
import { viewOf, type MessageActions, type MessageView } from "./message-view.js";
import { asProblem } from "./problems.js";
import type { SettingsStore } from "./settings.js";

export interface ChatOptions {
  api: ChatApi;
  settings: SettingsStore;
  /** Told when an answer begins and ends. */
  onBusy: (isBusy: boolean) => void;
  openSettings: () => void;
  /** Where the focus goes when what had it is gone. */
  focusPrompt: () => void;
}

/** Nearer to the end than this, the view follows what is written. */
const FOLLOW_PX = 80;

/** The conversation on the page, and the answer under way. */
export class Chat {
  readonly #options: ChatOptions;
  readonly #conversation = new Conversation();
  readonly #thread = part("thread", HTMLElement);
  readonly #welcome = part("welcome", HTMLElement);
  readonly #views = new Map<Turn, MessageView>();
  #running: AbortController | undefined;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#show();
    this.#toEnd();
  }

  send(text: string, pictures: Picture[]): void {
    this.#conversation.turns.push({ role: "user", text, pictures });
    void this.#answer();
  }

  /** Ends the answer under way. @returns whether there was one. */
  stop(): boolean {
    this.#running?.abort();
    return this.#running !== undefined;
  }

  clear(): void {
    this.stop();
    this.#conversation.turns = [];
    this.#conversation.save();
    this.#show();
  }

  get #actions(): MessageActions {
    return {
      edit: (turn, text) => {
        turn.text = text;
        this.#goBackTo(turn, "after");
      },
      retry: (turn) => this.#goBackTo(turn, "before"),
      giveResults: (turn) => this.#goBackTo(turn, "after"),
      openSettings: this.#options.openSettings,
    };
  }

  /** Drops what followed, and has it answered again. */
  #goBackTo(turn: Turn, where: "before" | "after"): void {
    this.stop();
    const { turns } = this.#conversation;
    const index = turns.indexOf(turn);
    if (index === -1) return;
    turns.length = where === "before" ? index : index + 1;
    this.#views.get(turn)?.update();
    void this.#answer();
    this.#options.focusPrompt();
  }

  async #answer(): Promise<void> {
    const { settings, api, onBusy } = this.#options;
    const running = new AbortController();
    const body = { ...settings.requestFields(), messages: this.#conversation.messages(settings.values.systemPrompt) };
    const turn: AssistantTurn = { role: "assistant", model: settings.values.model, text: "", reasoning: "", calls: [] };
    this.#conversation.turns.push(turn);
    this.#conversation.save();
    this.#running = running;
    this.#show();
    this.#toEnd();
    onBusy(true);
    announce("Answering");
    const timer = new Timer();
    try {
      for await (const chunk of api.chat(body, running.signal)) {
        timer.add(chunk);
        take(chunk, turn);
        this.#update(turn);
      }
      turn.end ??= "stop";
    } catch (error) {
      if (running.signal.aborted) turn.end = "stopped";
      else {
        turn.end = "failed";
        const { message, advice, offer } = asProblem(error);
        turn.problem = { message, advice, offer };
      }
    }
    Object.assign(turn, timer.result(turn));
    this.#updateNow(turn);
    this.#conversation.save();
    // Another answer may have begun in the meantime.
    if (this.#running !== running) return;
    this.#running = undefined;
    onBusy(false);
    announce(turn.problem ? turn.problem.message : "The answer is complete");
  }

  #show(): void {
    const { turns } = this.#conversation;
    for (const turn of this.#views.keys()) if (!turns.includes(turn)) this.#views.delete(turn);
    for (const turn of turns) if (!this.#views.has(turn)) this.#views.set(turn, viewOf(turn, this.#actions));
    const elements = turns.map((turn) => this.#views.get(turn)!.element);
    for (const stale of [...this.#thread.children]) if (!elements.includes(stale as HTMLElement)) stale.remove();
    for (const [index, element] of elements.entries()) if (this.#thread.children[index] !== element) this.#thread.append(element);
    this.#welcome.hidden = turns.length > 0;
    this.#thread.hidden = turns.length === 0;
  }

  #waiting: Turn | undefined;

  /** Once a frame, however fast the words come. */
  #update(turn: Turn): void {
    if (this.#waiting === undefined) requestAnimationFrame(() => this.#waiting && this.#updateNow(this.#waiting));
    this.#waiting = turn;
  }

  #updateNow(turn: Turn): void {
    this.#waiting = undefined;
    const follows = this.#isAtEnd();
    // Screen readers hear the answer when it is whole, not every word as it comes.
    this.#thread.setAttribute("aria-busy", String(turn.role === "assistant" && turn.end === undefined));
    this.#views.get(turn)?.update();
    if (follows) this.#toEnd();
  }

  #isAtEnd(): boolean {
    const { scrollTop, scrollHeight, clientHeight } = document.documentElement;
    return scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
  }

  #toEnd(): void {
    scrollTo({ top: document.documentElement.scrollHeight });
  }
}

function take({ choices, usage }: Chunk, turn: AssistantTurn): void {
  if (usage) turn.usage = usage;
  const [choice] = choices;
  if (!choice) return;
  turn.text += choice.delta.content ?? "";
  turn.reasoning += choice.delta.reasoning_content ?? "";
  for (const delta of choice.delta.tool_calls ?? []) addCallDelta(turn, delta);
  if (choice.finish_reason !== null) turn.end = choice.finish_reason as AssistantTurn["end"];
}

/** How long the first token took, and how fast the rest came. */
class Timer {
  readonly #startedAt = performance.now();
  #firstAt: number | undefined;
  #lastAt = 0;
  #decodeMs: number | undefined;

  add({ choices, timings }: Chunk): void {
    const delta = choices[0]?.delta;
    this.#decodeMs = timings?.decode_ms ?? this.#decodeMs;
    if (!delta?.content && !delta?.reasoning_content && !delta?.tool_calls) return;
    this.#lastAt = performance.now();
    this.#firstAt ??= this.#lastAt;
  }

  result({ usage }: AssistantTurn): Pick<AssistantTurn, "firstTokenMs" | "tokensPerSecond"> {
    if (this.#firstAt === undefined) return {};
    // The server's own clock where it tells of it: the network's pace is not the model's.
    const ms = this.#decodeMs ?? this.#lastAt - this.#firstAt;
    const after = (usage?.completion_tokens ?? 0) - 1;
    return { firstTokenMs: this.#firstAt - this.#startedAt, ...(after > 0 && ms > 0 && { tokensPerSecond: (after / ms) * 1000 }) };
  }
}
