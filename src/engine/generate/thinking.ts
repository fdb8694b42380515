import { heldSuffixLength } from "./stop-strings.js";

const OPEN = "<think>";
const CLOSE = "</think>";

/** Marks of thinking, which tokenizers may hold as special tokens. */
export const THINKING_MARKS = [OPEN, CLOSE] as const;

/** Whether a chat template is one of a model that thinks before it answers. */
export function templateThinks(chatTemplate: string): boolean {
  return THINKING_MARKS.some((mark) => chatTemplate.includes(mark));
}

/** Whether a prompt ends inside a block of thinking that the answer continues. */
export function promptOpensThinking(prompt: string): boolean {
  return prompt.trimEnd().endsWith(OPEN);
}

/** Whether a prompt ends behind a block of thinking: the template was told that the model shall not think. */
export function promptClosesThinking(prompt: string): boolean {
  return prompt.trimEnd().endsWith(CLOSE);
}

export interface ThinkingPiece {
  type: "reasoning" | "text";
  text: string;
}

/**
 * Splits an answer into the thinking it begins with and the rest. White space around the thinking is dropped. The joined pieces depend only
 * on the whole answer, never on how it was cut; thinking that never ends is all thinking.
 */
export class ThinkingSplitter {
  private state: "start" | "opening" | "thinking" | "closed" | "text";
  private pending = "";

  /** @param isOpen the prompt has opened the block already; a model that opens it once more means the same one. */
  constructor(private readonly isOpen: boolean) {
    this.state = "start";
  }

  feed(delta: string): ThinkingPiece[] {
    this.pending += delta;
    return this.advance(false);
  }

  end(): ThinkingPiece[] {
    return this.advance(true);
  }

  private advance(isWhole: boolean): ThinkingPiece[] {
    if (this.state === "start" && !this.begin(isWhole)) return [];
    const pieces: ThinkingPiece[] = [];
    if (this.state === "opening" && this.skipSpace()) this.state = "thinking";
    if (this.state === "thinking") this.think(pieces, isWhole);
    if (this.state === "closed" && this.skipSpace()) this.state = "text";
    if (this.state === "text" && this.pending !== "") {
      pieces.push({ type: "text", text: this.pending });
      this.pending = "";
    }
    return pieces;
  }

  /** Finds out how the answer begins; false when it takes more of it. */
  private begin(isWhole: boolean): boolean {
    const rest = this.pending.trimStart();
    if (rest.startsWith(OPEN)) {
      this.pending = rest.slice(OPEN.length);
      this.state = "opening";
    } else if (!isWhole && OPEN.startsWith(rest)) return false;
    else this.state = this.isOpen ? "opening" : "text";
    return true;
  }

  private think(pieces: ThinkingPiece[], isWhole: boolean): void {
    const close = this.pending.indexOf(CLOSE);
    const end = close !== -1 ? close : this.pending.length - (isWhole ? 0 : heldSuffixLength(this.pending, CLOSE));
    const text = this.pending.slice(0, end).trimEnd();
    if (text !== "") pieces.push({ type: "reasoning", text });
    if (close === -1) this.pending = this.pending.slice(text.length);
    else {
      this.pending = this.pending.slice(close + CLOSE.length);
      this.state = "closed";
    }
  }

  /** True once something else follows. */
  private skipSpace(): boolean {
    this.pending = this.pending.trimStart();
    return this.pending !== "";
  }
}
