import { createHash } from "node:crypto";
import { messageOf, throwIfAborted } from "../core/errors.js";
import { createLogger } from "../core/log.js";
import type { Point } from "./actions.js";
import { askModel } from "./ask-model.js";
import type { Computer, Display } from "./computer/computer.js";
import { screenToModel } from "./coordinates.js";
import type { Dialect } from "./dialects/dialect.js";
import type { LabelQuestion } from "./dialects/label-question.js";
import type { Prompt } from "./dialects/prompt.js";
import { withoutThinking, type ModelClient, type ModelReply } from "./model-client.js";
import { isRefusal } from "./model-server.js";
import { present, type Capture, type Observation } from "./observe.js";
import { cutOut, enlarged, type PlacePixels } from "./place-picture.js";
import type { LabelReading } from "./recorder/records.js";
import { sameAround } from "./safety/target-box.js";
import type { TokenBudget } from "./safety/token-budget.js";

const log = createLogger("labels");

/** A label takes a fraction of a step; whoever has not answered by then cannot tell. */
const TIMEOUT_MS = 30_000;
/** Readings that are remembered. */
const MAX_KNOWN = 64;

/** Reads what is written on a control. */
export interface LabelReader {
  /**
   * @param seen the screen of the step; where nothing has changed around the place since, a model may be shown the same picture again
   * @returns undefined where the model cannot be asked such questions
   * @throws Interruption `max_tokens`; DeskhandError `cancelled`, and as `TokenBudget.spend` does
   */
  read(at: Point, seen: Observation, signal: AbortSignal): Promise<LabelReading | undefined>;
}

export interface LabelReaderOptions {
  client: ModelClient;
  /** The model's id on the server. */
  model: string;
  dialect: Dialect;
  computer: Computer;
  tokens: TokenBudget;
}

/** A reader that asks the agent's own model; undefined for a family that answers with actions alone. */
export function labelReader(options: LabelReaderOptions): LabelReader | undefined {
  const { label } = options.dialect;
  return label && new ModelLabelReader(options, label);
}

/** What came of a question, before anybody looks at the clock. */
type Answer = Omit<LabelReading, "at" | "ms">;

class ModelLabelReader implements LabelReader {
  readonly #options: LabelReaderOptions;
  readonly #question: LabelQuestion;
  /** What was read, by place and pixels; the newest at the end. */
  readonly #known = new Map<string, string>();
  #takesQuestions = true;

  constructor(options: LabelReaderOptions, question: LabelQuestion) {
    this.#options = options;
    this.#question = question;
  }

  async read(at: Point, seen: Observation, signal: AbortSignal): Promise<LabelReading | undefined> {
    if (!this.#takesQuestions) return undefined;
    const startedAt = performance.now();
    const { computer } = this.#options;
    const now: Capture = { display: await computer.display(), pointer: await computer.cursor(), shot: await computer.capture(signal) };
    const place = await cutOut(now, at);
    const key = `${at.x},${at.y} ${createHash("sha256").update(place.data).digest("base64")}`;
    const known = this.#known.get(key);
    const answer = known === undefined ? await this.#ask(at, now, place, seen, signal) : { text: known };
    if (answer && answer.failed === undefined) this.#remember(key, answer.text);
    return answer && { at, ...answer, ms: Math.round((performance.now() - startedAt) * 10) / 10 };
  }

  async #ask(at: Point, now: Capture, place: PlacePixels, seen: Observation, signal: AbortSignal): Promise<Answer | undefined> {
    const { client, model, tokens } = this.#options;
    const prompt = await this.#prompt(at, now, place, seen);
    const sampling = tokens.cap(this.#question.sampling);
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    let reply: ModelReply;
    try {
      reply = await askModel(client, model, prompt, { sampling, signal: AbortSignal.any([signal, timeout]) });
    } catch (error) {
      throwIfAborted(signal);
      if (isRefusal(error)) {
        log.warn({ err: error }, "the model's server takes no questions about labels: none is read in this run");
        this.#takesQuestions = false;
        return undefined;
      }
      return { text: "", failed: timeout.aborted ? `the model gave no answer within ${TIMEOUT_MS / 1000} s` : messageOf(error) };
    }
    tokens.spend(reply.usage);
    const text = withoutThinking(reply).trim();
    return { text, failed: text === "" && reply.finishReason === "length" ? "the model came to no answer" : undefined, usage: reply.usage };
  }

  async #prompt(at: Point, now: Capture, place: PlacePixels, seen: Observation): Promise<Prompt> {
    if (this.#question.shows === "place") return this.#question.render(await enlarged(place), { x: 0, y: 0 });
    const { shot, scene } = seen;
    const isSeen = !scene.region && sameDisplay(scene.display, now.display) && sameAround([at], { shot, display: scene.display }, now.shot);
    const { dataUri, chain } = isSeen ? seen : await present(now, this.#options.dialect);
    return this.#question.render(dataUri, screenToModel(chain, at).model);
  }

  #remember(key: string, text: string): void {
    this.#known.delete(key);
    this.#known.set(key, text);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN) this.#known.delete(oldest!);
  }
}

function sameDisplay(a: Omit<Display, "id">, b: Omit<Display, "id">): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}
