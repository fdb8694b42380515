import type { StreamEvent } from "../agent/streams/video-stream.js";
import type { WatchEvent } from "../agent/streams/watch-events.js";
import { printable } from "./run-report.js";

/** How a watched stream looks in a terminal: what the model says goes to stdout, everything else to stderr. */
type Event = WatchEvent | StreamEvent | { type: "watching"; source: string };

/** @param json a line for each event on stdout instead, but for the single words */
export function eventPrinter(json: boolean): (event: Event) => void {
  if (json) return (event) => void (event.type !== "words" && process.stdout.write(`${JSON.stringify(event)}\n`));
  let inLine = false;
  return (event) => {
    if (event.type === "words") {
      inLine = true;
      return void process.stdout.write(printable(event.text));
    }
    if (inLine) process.stdout.write("\n");
    inLine = false;
    const line = describe(event);
    if (line !== undefined) process.stderr.write(`${printable(line)}\n`);
  };
}

function describe(event: Exclude<Event, { type: "words" }>): string | undefined {
  switch (event.type) {
    case "watching":
      return `watching ${event.source}; type a question, Ctrl-C ends`;
    case "asking":
      return event.trigger === "question" ? `question: ${event.question}` : undefined;
    case "answer":
      return undefined;
    case "interrupted":
      return "(a question goes first)";
    case "failed":
      return `failed: ${event.message}`;
    case "busy":
      return `busy: too many questions wait; "${event.question}" is not asked`;
    case "heard":
      return `heard: ${event.text}`;
    case "noise":
      return "noise: something was loud, but no words were heard in it";
    case "deaf":
      return `hearing nothing more: ${event.message}`;
    case "lost":
      return `lost: ${event.message} Trying again in ${event.retryInMs / 1000} s.`;
    case "back":
      return `back after ${(event.lostMs / 1000).toFixed(1)} s`;
  }
}
