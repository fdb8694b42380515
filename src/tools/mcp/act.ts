import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { actSafely } from "../../agent/act-safely.js";
import type { Action } from "../../agent/actions.js";
import { perform } from "../../agent/act.js";
import { checkActions } from "../../agent/check.js";
import { sameButForCaret, settle, THIN_CARET } from "../../agent/computer/settle.js";
import { describeAction } from "../../agent/describe.js";
import type { CoordinateChain } from "../../agent/coordinates.js";
import { MAX_FRESH_LOOKS } from "../../agent/safety/stale-screen.js";
import { DeskhandError, isDeskhandError } from "../../core/errors.js";
import type { ActionCall, ActionTool } from "./action-tools.js";
import type { Desk, Hold } from "./desk.js";
import { textResult, type Call, type Session } from "./session.js";
import { look, type ActionResult, type Seen } from "./view.js";

export interface CallContext {
  desk: Desk;
  session: Session;
  call: Call;
}

/** Does what one call of an action's tool asks for, and shows what came of it. */
export async function callAction(tool: ActionTool, given: unknown, context: CallContext & { pictures: "always" | "asked" }): Promise<CallToolResult> {
  const { desk, session, call, pictures } = context;
  const asked = tool.read(given);
  if (!tool.acts) return callHandsFree(asked, context);
  return desk.act(session, call.signal, (hold) => session.during(call, () => act(asked, hold, { ...context, showsPicture: pictures === "always" })));
}

/** Looking, waiting and asking, which need neither mouse nor keyboard. */
async function callHandsFree(asked: ActionCall, { desk, session, call }: CallContext): Promise<CallToolResult> {
  const { computer, displayName } = await desk.look();
  const action = asked.on(session.chain ?? (await look(computer, displayName, call.signal)).chain);
  if (action.type === "ask") {
    const { approver } = session;
    if (!approver) throw new DeskhandError("forbidden", "Expected somebody who can be asked but this client asks nobody and there is no terminal. Ask the user in your own words.");
    const answer = await session.during(call, () => approver.ask(action.question, call.signal));
    return answer === undefined ? textResult("The user did not answer.", { isError: true }) : textResult(`The user answers: ${answer}`);
  }
  await perform(computer, action, call.signal);
  const seen = await look(computer, displayName, call.signal, action.type === "zoom" ? action.region : undefined);
  session.chain = seen.chain;
  const picture = action.type !== "wait";
  if (picture) session.screen = seen.screen;
  return resultOf(describeAction(action), seen, { picture });
}

async function act(asked: ActionCall, hold: Hold, { desk, session, showsPicture }: CallContext & { showsPicture: boolean }): Promise<CallToolResult> {
  const { computer, kernel, signal } = hold;
  const { displayName } = await desk.look();
  const before = await look(computer, displayName, signal);
  assertSamePlace(session.chain, before.chain);
  session.chain = before.chain;
  const action = asked.on(before.chain);
  await assertPossible(action, hold);
  const { refused, outdated, stale } = await actSafely(hold, [action], { step: 1, words: asked.intent }, session.freshLooks < MAX_FRESH_LOOKS ? session.screen : undefined);
  session.freshLooks = stale ? session.freshLooks + 1 : 0;
  if (refused !== undefined || outdated !== undefined) {
    await computer.releaseAll();
    kernel.released();
    const what = `${refused === undefined ? "Not done" : "Refused"}: ${describeAction(action)}. ${refused ?? outdated}`;
    if (refused !== undefined) return textResult(`${what} Go on in a way that is allowed, or tell the user.`, { isError: true });
    if (!showsPicture) return textResult(`${what} Take another screenshot and look again.`, { isError: true });
    const seen = await look(computer, displayName, signal);
    session.screen = seen.screen;
    return { content: [{ type: "text", text: `${what} The picture shows the screen as it is now: look again.` }, seen.image], isError: true };
  }
  const { frame } = await settle(computer, { signal });
  const hadEffect = !sameButForCaret(before.shot, frame, before.chain.display.scale, THIN_CARET);
  const seen = await look(computer, displayName, signal, undefined, frame);
  session.chain = seen.chain;
  session.screen = showsPicture ? seen.screen : undefined;
  return resultOf(describeAction(action), seen, { picture: showsPicture, hadEffect });
}

/** Positions count on the picture that the client saw last: a window that has moved since is somewhere else. */
function assertSamePlace(seen: CoordinateChain | undefined, now: CoordinateChain): void {
  if (!seen) return;
  const [then, here] = [seen.display, now.display];
  if (then.x === here.x && then.y === here.y && then.width === here.width && then.height === here.height) return;
  throw new DeskhandError("invalid_argument", `Expected the screen, or the window, to be where the last picture showed it (${then.width} × ${then.height} at ${then.x}, ${then.y}) but it is ${here.width} × ${here.height} at ${here.x}, ${here.y} now. Take another screenshot.`);
}

/** Keys, buttons and secrets that there are. */
async function assertPossible(action: Action, { computer, secrets }: Hold): Promise<void> {
  try {
    await checkActions([action], computer);
    secrets.check(action);
  } catch (error) {
    if (isDeskhandError(error, "model_output")) throw new DeskhandError("invalid_argument", error.message, { cause: error });
    throw error;
  }
}

function resultOf(did: string, { view, image }: Seen, { picture, hadEffect }: { picture: boolean; hadEffect?: boolean }): CallToolResult {
  const structuredContent: ActionResult = { did, ...(hadEffect !== undefined && { hadEffect }), view };
  const { scale, desktop, picture: size } = view;
  const mapping = `The picture is ${size.width} × ${size.height}; a desktop position is ${desktop.x} + x × ${round(scale.x)}, ${desktop.y} + y × ${round(scale.y)}.`;
  const effect = hadEffect === false ? " Nothing changed on the screen." : "";
  return { content: [{ type: "text", text: `${did}.${effect} ${mapping} The pointer is at ${view.cursor.x}, ${view.cursor.y}.` }, ...(picture ? [image] : [])], structuredContent };
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
