import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import type { ElicitRequestFormParams, ElicitResult } from "@modelcontextprotocol/sdk/types.js";
import type { ApprovalRequest, Approver, Verdict } from "../../agent/safety/approver.js";
import { createLogger } from "../../core/log.js";
import type { Call } from "./session.js";

const log = createLogger("mcp");

/** A person may be away; then it is a no. */
const ANSWER_TIMEOUT_MS = 10 * 60_000;
/** Clients give up a call that they hear nothing of. */
const STILL_WAITING_MS = 10_000;

const DECISION = {
  type: "object" as const,
  properties: {
    decision: { type: "string" as const, title: "Allow it?", enum: ["refuse", "allow", "stop"], enumNames: ["No", "Yes, this once", "No, and stop everything"] },
    reason: { type: "string" as const, title: "Why", description: "Told to the model.", maxLength: 500 },
  },
  required: ["decision"],
};
const ANSWER = { type: "object" as const, properties: { answer: { type: "string" as const, title: "Answer" } }, required: ["answer"] };

/** The client's user, asked through the client. Nothing but a plain yes is a yes. */
export function elicitingApprover(server: Server, currentCall: () => Call | undefined): Approver {
  const ask = async (message: string, requestedSchema: ElicitRequestFormParams["requestedSchema"], signal: AbortSignal): Promise<ElicitResult | undefined> => {
    const call = currentCall();
    const waiting = setInterval(() => void call?.tell("waiting for a person's answer"), STILL_WAITING_MS);
    try {
      await call?.tell("asking a person");
      return await server.elicitInput({ message, requestedSchema }, { signal, timeout: ANSWER_TIMEOUT_MS, ...(call && { relatedRequestId: call.id }) });
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error }, "a person could not be asked");
      return undefined;
    } finally {
      clearInterval(waiting);
    }
  };
  return {
    approve: async (request, signal) => toVerdict(await ask(questionOf(request), DECISION, signal)),
    ask: async (question, signal) => {
      const { action, content } = (await ask(question, ANSWER, signal)) ?? {};
      const answer = action === "accept" && typeof content?.["answer"] === "string" ? content["answer"].trim() : "";
      return answer === "" ? undefined : answer;
    },
  };
}

function questionOf({ description, risks }: ApprovalRequest): string {
  const why = risks.length > 0 ? ` It ${risks.map((risk) => risk.why).join(", and it ")}.` : "";
  return `Allow this on your computer: ${description}?${why}`;
}

function toVerdict(result: ElicitResult | undefined): Verdict {
  if (!result) return { kind: "refuse", reason: "nobody answered" };
  const { action, content } = result;
  const given = content?.["reason"];
  const reason = typeof given === "string" && given.trim() !== "" ? { reason: given.trim() } : {};
  if (action === "accept" && content?.["decision"] === "stop") return { kind: "stop", ...reason };
  if (action === "accept" && content?.["decision"] === "allow") return { kind: "approve" };
  return { kind: "refuse", ...reason };
}
