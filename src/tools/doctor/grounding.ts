import { askModel } from "../../agent/ask-model.js";
import type { Conversation, Dialect } from "../../agent/dialects/dialect.js";
import { planModel, type ConnectedModel } from "../../agent/model-source.js";
import { present } from "../../agent/observe.js";
import { messageOf } from "../../core/errors.js";
import type { OnProgress } from "../../core/progress.js";
import type { Check } from "./check.js";
import { countings, dialectsFor, rawPoint, sameSpace, type Aim } from "./conventions.js";
import { drawScreen } from "./drawn-screen.js";

export interface GroundingOptions {
  model?: string | undefined;
  baseURL?: string | undefined;
  dialect?: string | undefined;
  onProgress?: OnProgress;
}

const CHECK = { id: "grounding", title: "Model's aim" };
/** Of the targets: a model that misses more is of little use, one that misses as many needs care. */
const GOOD = 0.8;
const WEAK = 0.5;

/** Asks a model to click each button of a drawn screen, in its own dialect, and says what that dialect would have hit. */
export async function checkGrounding(options: GroundingOptions, signal: AbortSignal): Promise<Check[]> {
  let connected: ConnectedModel | undefined;
  try {
    const plan = await planModel(options, signal);
    connected = await plan.connect(signal);
    return [await judge(plan.dialect, connected, signal)];
  } catch (error) {
    return [{ ...CHECK, status: signal.aborted ? "unknown" : "fail", found: messageOf(error) }];
  } finally {
    await connected?.close();
  }
}

async function judge(dialect: Dialect, { client, model }: ConnectedModel, signal: AbortSignal): Promise<Check> {
  const { shot, display, buttons } = await drawScreen(dialect.display);
  const { dataUri, chain, screen, cursor } = await present({ shot, display, pointer: { x: 1, y: 1 } }, dialect);
  const scale = { x: chain.sent.width / display.width, y: chain.sent.height / display.height };
  const aims: Aim[] = [];
  for (const { label, place } of buttons) {
    const conversation: Conversation = { task: `Click the ${label} button`, turns: [], picture: dataUri, screen, cursor };
    const reply = await askModel(client, model, dialect.render(conversation), { sampling: dialect.sampling, signal });
    aims.push({ reply, place: { x: place.x * scale.x, y: place.y * scale.y, width: place.width * scale.x, height: place.height * scale.y } });
  }
  return verdict(dialect, aims, screen);
}

/** What the answers say of the model, and of the dialect it was asked in. */
export function verdict(dialect: Dialect, aims: readonly Aim[], sent: { width: number; height: number }): Check {
  const total = aims.length;
  const read = aims.filter(({ reply }) => rawPoint(dialect, reply) !== undefined).length;
  if (read < total * WEAK) {
    const others = dialectsFor(aims, undefined).filter((name) => name !== dialect.name);
    const sample = JSON.stringify(aims.map(({ reply }) => reply.text).find((text) => text !== "")?.slice(0, 120) ?? "");
    const mend = others.length > 0 ? `--dialect ${others[0]} # reads them` : "use a model that was trained to operate a computer, or name its --dialect";
    return { ...CHECK, status: "fail", found: `${read} of ${total} answers are in the format of the dialect ${dialect.name}, e.g. ${sample} is not`, mend };
  }
  const counted = countings(dialect, aims, sent);
  const own = counted.find(({ space }) => space && sameSpace(space, dialect.space))!;
  const [best] = counted;
  const figures = `${own.hits} of ${total} buttons hit in the dialect ${dialect.name}`;
  if (own.hits >= total * GOOD) return { ...CHECK, status: "ok", found: `${figures}, which counts ${own.words}` };
  if (best && best.hits > own.hits && best.hits >= total * WEAK) {
    const [fitting] = best.space ? dialectsFor(aims, best.space) : [];
    const mend = fitting === undefined ? "let the model's server keep pictures as they are (its processor's largest size), or serve it with `deskhand serve`" : `--dialect ${fitting}`;
    return { ...CHECK, status: "fail", found: `${figures}, but ${best.hits} if its coordinates are ${best.words}`, mend };
  }
  const weak = own.hits >= total * WEAK;
  return { ...CHECK, status: weak ? "warn" : "fail", found: figures, mend: weak ? "give it a smaller --region, or a --grounder beside it" : "use another model, or a --grounder beside it" };
}
