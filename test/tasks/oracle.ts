import { Action } from "../../src/agent/actions.js";
import type { Display } from "../../src/agent/computer/index.js";
import type { ChatRequestBody, ScriptedReply } from "../agent/support/scripted-server.js";
import { DONE, FAMILIES } from "./families.js";
import type { Hands } from "./hands.js";
import type { Move, Seen, Task } from "./task.js";

/** What the agent tells a model whose action it did not do, because the screen had changed before it. */
const LOOK_AGAIN = "The screen changed at the target before the action; look again.";

/** A model that makes no mistake: it is asked as any model is, and writes what the task's oracle does next in its family's format. */
export function oracleModel({ oracle, family = "qwen3" }: Pick<Task, "oracle" | "family">, hands: Hands, screen: Pick<Display, "width" | "height">) {
  const moves = oracle(hands);
  const written: ScriptedReply[] = [];
  const write = (move: Move) => FAMILIES[family].write(Action.parse(move.action), move.words, screen);
  const last: { move?: Move; reply?: ScriptedReply; isPopUp?: boolean } = {};
  let told = 0;
  return async (request: ChatRequestBody): Promise<ScriptedReply> => {
    const tells = JSON.stringify(request).split(LOOK_AGAIN).length - 1;
    const isNotDone = tells > told;
    told = tells;
    // What was not done is done again, where its target is now; of several replies for one action the one that was not done.
    if (isNotDone && last.reply && !last.isPopUp) written.unshift(...(written.length === 0 && last.move?.again ? write(await last.move.again()) : [last.reply]));
    const popUp = isNotDone || written.length === 0 ? await hands.popUp() : undefined;
    last.isPopUp = popUp !== undefined;
    if (popUp) written.unshift(...write(popUp));
    else if (written.length === 0) {
      last.move = await next(moves, request);
      written.push(...write(last.move));
    }
    last.reply = written.shift()!;
    return last.reply;
  };
}

async function next(moves: AsyncGenerator<Move, void, Seen>, request: ChatRequestBody): Promise<Move> {
  const { done, value } = await moves.next(lastPicture(request));
  return done ? DONE : value;
}

/** The last picture of a request, in whichever of the three interfaces. */
function lastPicture(request: unknown): Seen {
  const found: string[] = [];
  const look = (value: unknown): void => {
    if (typeof value === "string") {
      // As an address of data, or bare where the interface has a field for it.
      const data = /^(?:data:image\/png;base64,)?(iVBOR[\w+/=]+)$/.exec(value)?.[1];
      if (data !== undefined) found.push(data);
    } else if (typeof value === "object" && value !== null) Object.values(value).forEach(look);
  };
  look(request);
  const last = found.at(-1);
  if (last === undefined) throw new Error("Expected a picture in the request but there is none.");
  return Buffer.from(last, "base64");
}
