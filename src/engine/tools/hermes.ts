import { seq } from "../grammar/node.js";
import { heldSuffixLength } from "../generate/stop-strings.js";
import { newCallId } from "./call-id.js";
import type { ToolCallEvent, ToolCallFormat, ToolCallParser } from "./format.js";
import { jsonCall, jsonOfCalls } from "./json-calls.js";
import { JsonCallScanner } from "./json-call-scanner.js";
import { MarkFilter } from "./mark-filter.js";

const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";

/**
 * `<tool_call>\n{"name": …, "arguments": {…}}\n</tool_call>`, any number of times, with text around it: Nous Hermes, Qwen2.5, Qwen3, Qwen3-VL
 * (not Qwen3-Coder, whose `<tool_call>` holds XML).
 */
export const hermes: ToolCallFormat = {
  name: "hermes",
  marks: [OPEN, CLOSE],
  matches: (chatTemplate) => chatTemplate.includes(OPEN) && !chatTemplate.includes("<function="),
  render: (calls) => jsonOfCalls(calls, "arguments").map((json) => `${OPEN}\n${json}\n${CLOSE}`).join("\n"), // prettier-ignore
  createParser: ({ newId = newCallId } = {}) => new HermesParser(newId),
  blocks: ({ each }) => [{ opening: OPEN, rest: seq("\n", each((tool) => jsonCall(tool, "arguments")), `\n${CLOSE}`), separator: "\n" }],
};

/**
 * White space before a call belongs to the format and is dropped, and so is what follows the last call; between a call and later text it is
 * kept. What begins like a call and is none comes out as text, without the marks.
 */
class HermesParser implements ToolCallParser {
  private mode: "text" | "call" | "closing" = "text";
  /** Input not consumed yet. */
  private pending = "";
  private scanner = this.newScanner();
  /** White space before the marker and the text behind it, until it is certain to be a call. */
  private spaceBefore = "";
  private uncertain = "";
  /** Nothing but white space since the last call. */
  private afterCall = false;
  private calls = 0;
  private readonly filter = new MarkFilter([OPEN, CLOSE]);
  private events: ToolCallEvent[] = [];

  constructor(private readonly newId: () => string) {}

  feed(delta: string): ToolCallEvent[] {
    this.pending += delta;
    while (this.advance());
    return this.takeEvents();
  }

  end(): ToolCallEvent[] {
    // What looks like a call and is cut short before its arguments is text, in which another call may begin.
    while (this.mode === "call" && !this.scanner.opened) {
      this.giveUp();
      while (this.advance());
    }
    // Otherwise a call and its end hold back nothing but white space and a cut closing tag.
    if (this.mode === "text" && !(this.afterCall && this.pending.trim() === "")) this.text(this.pending);
    this.pending = "";
    this.show(this.filter.flush());
    return this.takeEvents();
  }

  /** One step; false when more input is needed. */
  private advance(): boolean {
    if (this.mode === "text") return this.advanceText();
    if (this.mode === "closing") return this.advanceClosing();
    const used = this.scanner.scan(this.pending);
    this.uncertain += this.pending.slice(0, used);
    this.pending = this.pending.slice(used);
    if (this.scanner.status === "open") return false;
    if (this.scanner.status === "malformed") this.giveUp();
    else {
      this.mode = "closing";
      this.afterCall = true;
    }
    return true;
  }

  private advanceText(): boolean {
    const at = this.pending.indexOf(OPEN);
    const end = at === -1 ? this.pending.length - heldSuffixLength(this.pending, OPEN) : at;
    const kept = this.pending.slice(0, end).trimEnd().length;
    this.text(this.pending.slice(0, kept));
    if (at === -1) {
      this.pending = this.pending.slice(kept);
      return false;
    }
    this.spaceBefore = this.pending.slice(kept, at);
    this.uncertain = "";
    this.pending = this.pending.slice(at + OPEN.length);
    this.mode = "call";
    this.scanner = this.newScanner();
    return true;
  }

  /** After the object: white space and the closing tag, which models sometimes leave out. */
  private advanceClosing(): boolean {
    const rest = this.pending.trimStart();
    if (rest.startsWith(CLOSE)) this.pending = rest.slice(CLOSE.length);
    else if (CLOSE.startsWith(rest)) return false;
    this.mode = "text";
    return true;
  }

  /** It was no call: its text is content, and what follows the marker is looked at again. */
  private giveUp(): void {
    this.text(this.spaceBefore + OPEN);
    this.pending = this.uncertain + this.pending;
    this.mode = "text";
  }

  private newScanner(): JsonCallScanner {
    return new JsonCallScanner(CLOSE, {
      open: (name) => {
        this.show(this.filter.flush());
        this.events.push({ type: "tool_call", index: this.calls++, id: this.newId(), name });
      },
      arguments: (delta) => this.argumentsDelta(delta),
    });
  }

  private text(text: string): void {
    if (text === "") return;
    this.afterCall = false;
    this.show(this.filter.feed(text));
  }

  private show(text: string): void {
    if (text === "") return;
    const last = this.events.at(-1);
    if (last?.type === "text") last.text += text;
    else this.events.push({ type: "text", text });
  }

  private argumentsDelta(delta: string): void {
    const last = this.events.at(-1);
    if (last?.type === "tool_call_arguments") last.delta += delta;
    else if (delta !== "") this.events.push({ type: "tool_call_arguments", index: this.calls - 1, delta });
  }

  private takeEvents(): ToolCallEvent[] {
    const events = this.events;
    this.events = [];
    return events;
  }
}
