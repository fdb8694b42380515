/** Calls as OpenAI's responses have them. */

export function computerCall(actions: object[], checks: object[] = []): object {
  return { type: "computer_call", id: "cu_1", call_id: "call_1", actions, pending_safety_checks: checks, status: "completed" };
}

export const finishCall = { type: "function_call", id: "fc_1", call_id: "call_2", name: "finish", arguments: "{\"success\": true, \"message\": \"\"}" };
