/**
 * How many characters at the end of `text` could be the beginning of `marker`: what a stream has to hold back until more comes.
 * The whole marker does not count.
 */
export function heldSuffixLength(text: string, marker: string): number {
  for (let length = Math.min(text.length, marker.length - 1); length > 0; length--) {
    if (text.endsWith(marker.slice(0, length))) return length;
  }
  return 0;
}

export interface StopResult {
  /** Text that is safe to emit now: no stop string can begin in it. */
  text: string;
  /** A stop string is complete. It and what follows are dropped; later feeds give nothing. */
  stopped: boolean;
}

/**
 * Finds stop strings in a stream of text, wherever the deltas are cut. Of several, the one that is complete first ends the text; of those
 * complete at the same character, the longest.
 */
export class StopStrings {
  private readonly stops: readonly string[];
  private held = "";
  private stopped: string | undefined;

  constructor(stops: readonly string[] = []) {
    // An empty stop string would match everywhere: clients that send one mean none.
    this.stops = stops.filter((stop) => stop.length > 0);
  }

  /** The stop string that ended the text, once one has. */
  get found(): string | undefined {
    return this.stopped;
  }

  feed(delta: string): StopResult {
    if (this.stopped !== undefined) return { text: "", stopped: true };
    const text = this.held + delta;
    const match = this.firstMatch(text);
    if (match !== undefined) {
      this.stopped = text.slice(match.start, match.end);
      this.held = "";
      return { text: text.slice(0, match.start), stopped: true };
    }
    const held = Math.max(0, ...this.stops.map((stop) => heldSuffixLength(text, stop)));
    this.held = text.slice(text.length - held);
    return { text: text.slice(0, text.length - held), stopped: false };
  }

  /** What was held back, once no more text comes. */
  flush(): string {
    const rest = this.held;
    this.held = "";
    return rest;
  }

  /** Where the stop string stands that is complete first. */
  private firstMatch(text: string): { start: number; end: number } | undefined {
    let best: { start: number; end: number } | undefined;
    for (const stop of this.stops) {
      const start = text.indexOf(stop);
      if (start === -1) continue;
      const end = start + stop.length;
      if (!best || end < best.end || (end === best.end && start < best.start)) best = { start, end };
    }
    return best;
  }
}
