import type { Approver } from "./approver.js";
import type { HiddenParts } from "./hidden-parts.js";
import type { Secrets } from "./secrets.js";

/** Keeps secrets out of whatever a person is shown: a model may repeat what it saw on the screen, and pictures show it. */
export function discreetApprover(approver: Approver, secrets: Secrets, hidden: HiddenParts): Approver {
  return {
    approve: async (request, signal) => approver.approve({ ...secrets.redact(request), picture: await hidden.cover(request.picture, request.shown) }, signal),
    ask: (question, signal) => approver.ask(secrets.redact(question), signal),
  };
}
