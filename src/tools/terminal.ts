import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { ApprovalRequest, Approver, Verdict } from "../agent/safety/approver.js";
import { RunController } from "../agent/safety/run-controller.js";
import { printable } from "./run-report.js";

/** What a person can do at a terminal while a run is under way. */
export interface Terminal extends Disposable {
  approver: Approver;
  controller: RunController;
}

/** The person at this process's terminal; undefined when there is none. */
export function openTerminal(): Terminal | undefined {
  return process.stdin.isTTY && process.stderr.isTTY ? watchTerminal(process.stdin, process.stderr) : undefined;
}

/**
 * Approves and answers by lines: `y` or `n` and why, `s` to stop. Between questions Enter pauses and resumes, and `step` does one step.
 * Nothing but a plain yes is a yes.
 */
export function watchTerminal(input: Readable, output: Writable): Terminal {
  const controller = new RunController();
  const lines = createInterface({ input, terminal: false });
  const say = (text: string) => void output.write(text);
  const questions = new Questions(lines, (line) => steer(controller, line));
  const ask = async (text: string, signal: AbortSignal) => {
    let isAsked = false;
    try {
      return await questions.ask(() => ((isAsked = true), say(text)), signal);
    } catch (error) {
      // It was answered elsewhere, or the run is over.
      if (isAsked) say("no longer asked\n");
      throw error;
    }
  };
  const changes = controller.onChange(({ mode, reason }) => {
    if (mode === "paused") say(`paused: ${printable(reason ?? "")} Enter goes on, "step" does one step.\n`);
    if (mode === "running") say("going on\n");
  });
  return {
    controller,
    approver: {
      approve: async (request, signal) => toVerdict(await ask(question(request), signal)),
      ask: async (text, signal) => {
        const answer = await ask(`\n${printable(text)}\nanswer (empty to stop): `, signal);
        return answer === undefined || answer.trim() === "" ? undefined : answer.trim();
      },
    },
    [Symbol.dispose]: () => {
      changes[Symbol.dispose]();
      lines.close();
    },
  };
}

function steer(controller: RunController, line: string): void {
  if (line.trim().toLowerCase() === "step") controller.step();
  else if (line.trim() !== "") return;
  else if (controller.state.mode === "paused") controller.resume();
  else controller.pause("Enter was pressed.");
}

function question({ description, risks }: ApprovalRequest): string {
  const why = risks.length > 0 ? `   it ${risks.map((risk) => printable(risk.why)).join(",\n   and it ")}\n` : "";
  return `\nallow: ${printable(description)}?\n${why}   [y]es, [n]o, or no and why, [s]top: `;
}

/** `n too early` refuses with the words after it; whatever else is said is a no with these words. */
function toVerdict(line: string | undefined): Verdict {
  const said = line?.trim() ?? "";
  if (line === undefined || /^(s|stop)$/i.test(said)) return { kind: "stop" };
  if (/^(y|yes)$/i.test(said)) return { kind: "approve" };
  const reason = said.replace(/^(no|n)\b[\s,:]*/i, "");
  return { kind: "refuse", ...(reason !== "" && { reason }) };
}

/** Lines as answers, one question at a time; those that answer nothing go elsewhere. */
class Questions {
  #waiting: ((line: string | undefined) => void) | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(lines: Interface, onOther: (line: string) => void) {
    lines.on("line", (line) => (this.#waiting ? this.#waiting(line) : onOther(line)));
    lines.on("close", () => {
      this.#ended = true;
      this.#waiting?.(undefined);
    });
  }

  /** Undefined when there will be no more lines. */
  ask(show: () => void, signal: AbortSignal): Promise<string | undefined> {
    const asked = this.#last.then(() => this.#askNow(show, signal));
    this.#last = asked.catch(() => undefined);
    return asked;
  }

  async #askNow(show: () => void, signal: AbortSignal): Promise<string | undefined> {
    signal.throwIfAborted();
    if (this.#ended) return undefined;
    show();
    return new Promise<string | undefined>((resolve, reject) => {
      const settle = () => {
        this.#waiting = undefined;
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = () => {
        settle();
        reject(signal.reason as Error);
      };
      this.#waiting = (line) => {
        settle();
        resolve(line);
      };
      signal.addEventListener("abort", onAbort);
    });
  }
}
