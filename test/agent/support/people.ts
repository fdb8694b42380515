import type { Windows, WindowInfo } from "../../../src/agent/computer/computer.js";
import type { ApprovalRequest, Approver, Verdict } from "../../../src/agent/safety/approver.js";

export interface ScriptedPerson extends Approver {
  requests: ApprovalRequest[];
  questions: string[];
}

/** A person who does the same whenever they are asked. */
export function person(approve: Verdict["kind"] | ((request: ApprovalRequest, signal: AbortSignal) => Verdict | Promise<Verdict>), answer?: string): ScriptedPerson {
  const requests: ApprovalRequest[] = [];
  const questions: string[] = [];
  return {
    requests,
    questions,
    async approve(request, signal) {
      requests.push(request);
      return typeof approve === "string" ? { kind: approve } : approve(request, signal);
    },
    async ask(question) {
      questions.push(question);
      return answer;
    },
  };
}

/** One window everywhere, with the keys; `current` may be changed. */
export function oneWindow(current: WindowInfo): Windows & { current: WindowInfo; activated: string[] } {
  const activated: string[] = [];
  return {
    current,
    activated,
    list: async () => [],
    async at() {
      return this.current;
    },
    async focused() {
      return this.current;
    },
    async activate({ id }) {
      activated.push(id);
    },
  };
}
