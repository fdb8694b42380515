import { heldSuffixLength } from "../generate/stop-strings.js";
import { newCallId } from "./call-id.js";
import { Cursor, NeedMore, NotACall } from "./cursor.js";
import type { ToolCallEvent, ToolCallParser } from "./format.js";
import { MarkFilter } from "./mark-filter.js";

export interface ParsedCall {
  name: string;
  /** JSON text; as the model wrote it where it is not valid. */
  arguments: string;
  id?: string;
}

/** How a format's blocks of one or more calls begin, and how one is read. */
export interface BlockSyntax {
  /** None a part of another. */
  openers: readonly string[];
  /** What no content may hold. */
  marks: readonly string[];
  /** What no content may end with half of. */
  tags?: readonly string[];
  /** Single characters that open a block only where the answer begins. */
  startOpeners?: readonly string[];
  /** Reads a block from its opener on; throws `NeedMore` or `NotACall`. */
  read(cursor: Cursor): ParsedCall[];
}

/**
 * For formats whose calls are known block by block. White space before a block and after the last one is dropped, as between text and text
 * it is kept; what begins like a block and is none comes out as text, without the marks.
 */
export class BlockParser implements ToolCallParser {
  private pending = "";
  private atStart = true;
  /** Nothing but white space since the last call. */
  private afterCall = false;
  private calls = 0;
  private readonly filter: MarkFilter;
  private events: ToolCallEvent[] = [];

  constructor(
    private readonly syntax: BlockSyntax,
    private readonly newId: () => string = newCallId,
  ) {
    this.filter = new MarkFilter(syntax.marks, syntax.tags);
  }

  feed(delta: string): ToolCallEvent[] {
    this.pending += delta;
    while (this.advance(false));
    return this.takeEvents();
  }

  end(): ToolCallEvent[] {
    while (this.advance(true));
    if (!(this.afterCall && this.pending.trim() === "")) this.text(this.pending);
    this.pending = "";
    this.show(this.filter.flush());
    return this.takeEvents();
  }

  /** One step; false when more input is needed. */
  private advance(isWhole: boolean): boolean {
    const at = this.findOpener();
    const end = at ?? this.pending.length - Math.max(...this.syntax.openers.map((opener) => heldSuffixLength(this.pending, opener)), 0);
    const kept = this.pending.slice(0, end).trimEnd().length;
    this.text(this.pending.slice(0, kept));
    this.pending = this.pending.slice(kept);
    return at !== undefined && this.readBlock(at - kept, isWhole);
  }

  private readBlock(at: number, isWhole: boolean): boolean {
    const cursor = new Cursor(this.pending.slice(at), isWhole);
    try {
      const calls = this.syntax.read(cursor);
      if (calls.length === 0) throw new NotACall();
      for (const call of calls) this.call(call);
      this.pending = cursor.text.slice(cursor.at);
    } catch (error) {
      if (error instanceof NeedMore) return false;
      if (!(error instanceof NotACall)) throw error;
      this.text(this.pending.slice(0, at + 1));
      this.pending = this.pending.slice(at + 1);
    }
    return true;
  }

  private findOpener(): number | undefined {
    const places = this.syntax.openers.map((opener) => this.pending.indexOf(opener)).filter((at) => at !== -1);
    const first = this.pending.length - this.pending.trimStart().length;
    if (this.atStart && this.syntax.startOpeners?.includes(this.pending.charAt(first))) places.push(first);
    return places.length === 0 ? undefined : Math.min(...places);
  }

  private call({ name, arguments: text, id }: ParsedCall): void {
    this.show(this.filter.flush());
    const index = this.calls++;
    this.events.push({ type: "tool_call", index, id: id ?? this.newId(), name }, { type: "tool_call_arguments", index, delta: text });
    this.afterCall = true;
    this.atStart = false;
  }

  private text(text: string): void {
    if (text === "") return;
    this.afterCall = false;
    if (text.trim() !== "") this.atStart = false;
    this.show(this.filter.feed(text));
  }

  private show(text: string): void {
    if (text === "") return;
    const last = this.events.at(-1);
    if (last?.type === "text") last.text += text;
    else this.events.push({ type: "text", text });
  }

  private takeEvents(): ToolCallEvent[] {
    const events = this.events;
    this.events = [];
    return events;
  }
}
