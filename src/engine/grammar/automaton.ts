import { DeskhandError } from "../../core/errors.js";
import { deadNodes, type GrammarNode } from "./node.js";
import { PLAIN_BEGINNINGS } from "./plain-tokens.js";

/** Ways of reading a text that are followed at once; more means a grammar nobody wrote in earnest. */
const MAX_WAYS = 20_000;
/** Expansions that may be made on the way to one mask: far below a second, far above what any sensible schema takes. */
const MAX_WORK = 1_000_000;
/** States kept; beyond, they are found anew. */
const MAX_STATES = 20_000;

/** A node that comes next, and what comes behind it: stacks that share their ends, each made once. */
class Frame {
  readonly above = new Map<GrammarNode, Frame>();

  constructor(
    readonly id: number,
    readonly node: GrammarNode | undefined,
    readonly next: Frame | undefined,
  ) {}
}

/** Every way in which the text so far can go on. */
export class State {
  /** By byte; `null` where it cannot come. */
  readonly steps: (State | null | undefined)[] = [];

  constructor(
    readonly frames: readonly Frame[],
    /** The text may end here. */
    readonly accepts: boolean,
    /** How many plain characters may come next, whichever they are. */
    readonly room: number,
    /** What comes behind one of these. */
    private readonly behindRoom: ReadonlySet<Frame>,
  ) {}

  /** Whether a plain character can come in no other way than as part of that room. */
  get isOnlyRoom(): boolean {
    return this.frames.every((frame) => this.#isInRoom(frame) || PLAIN_BEGINNINGS.every((byte) => frame.node!.step!(byte) === undefined));
  }

  #isInRoom({ next }: Frame): boolean {
    // The rest of a character stands between: three bytes at most.
    for (let behind = next, bytes = 0; behind !== undefined && bytes <= 3; behind = behind.next, bytes++) if (this.behindRoom.has(behind)) return true;
    return false;
  }

  /** Nothing but the end can come. */
  get isFinal(): boolean {
    return this.frames.length === 0;
  }
}

/**
 * Reads a text by a grammar, byte by byte. States are made when they are first reached and known again by what can follow, so what is asked
 * often, such as the inside of a string, is asked of one state.
 */
export class Automaton {
  readonly #root: GrammarNode;
  readonly #dead: ReadonlySet<GrammarNode>;
  #bottom = new Frame(0, undefined, undefined);
  #frames = 1;
  #states = new Map<string, State>();
  #start: State | undefined;
  #work = 0;

  constructor(root: GrammarNode) {
    this.#root = root;
    this.#dead = deadNodes(root);
  }

  /** Whether any text can be read to its end. */
  get isPossible(): boolean {
    return !this.#dead.has(this.#root);
  }

  get start(): State {
    this.#start ??= this.#stateOf([this.#frame(this.#root, this.#bottom)]) ?? undefined;
    if (this.#start === undefined) throw new DeskhandError("internal", "Expected a grammar of at least one text.");
    return this.#start;
  }

  /** `null` where the byte cannot come. */
  step(state: State, byte: number): State | null {
    const known = state.steps[byte];
    if (known !== undefined) return known;
    const next: Frame[] = [];
    for (const { node, next: behind } of state.frames) {
      const rest = node!.step!(byte);
      if (rest !== undefined) next.push(this.#frame(rest, behind!));
    }
    return (state.steps[byte] = next.length === 0 ? null : this.#stateOf(next));
  }

  /** Begins a piece of work that may take only so long; forgets states where there are too many. */
  beginWork(): void {
    this.#work = 0;
    if (this.#states.size < MAX_STATES) return;
    this.#states = new Map();
    this.#bottom = new Frame(0, undefined, undefined);
    this.#start = undefined;
  }

  #frame(node: GrammarNode, next: Frame): Frame {
    const known = next.above.get(node);
    if (known !== undefined) return known;
    const frame = new Frame(this.#frames++, node, next);
    next.above.set(node, frame);
    return frame;
  }

  #stack(row: readonly GrammarNode[], next: Frame): Frame {
    return row.reduceRight((behind, node) => this.#frame(node, behind), next);
  }

  /** Expands until every frame consumes; `null` where nothing is left. */
  #stateOf(frames: readonly Frame[]): State | null {
    const seen = new Set(frames);
    const consuming: Frame[] = [];
    let accepts = false;
    let room = 0;
    const behindRoom = new Set<Frame>();
    for (const frame of seen) {
      if (frame.node === undefined) accepts = true;
      else if (frame.node.step !== undefined) consuming.push(frame);
      else {
        room = Math.max(room, frame.node.room ?? 0);
        for (const row of frame.node.expand!()) {
          if (row.some((node) => this.#dead.has(node))) continue;
          const first = this.#stack(row, frame.next!);
          seen.add(first);
          if (frame.node.room !== undefined && row.length > 0) behindRoom.add(first.next!);
        }
      }
      this.#work++;
      if (seen.size > MAX_WAYS || this.#work > MAX_WORK) throw tooComplex();
    }
    if (consuming.length === 0 && !accepts) return null;
    const key = `${accepts ? "" : "-"}${consuming.map(({ id }) => id).sort((a, b) => a - b).join()}`; // prettier-ignore
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const state = new State(consuming, accepts, room, behindRoom);
    this.#states.set(key, state);
    return state;
  }
}

export function tooComplex(): DeskhandError {
  return new DeskhandError("unsupported_input", "Expected a schema whose values can be told apart as they are written, but this one has too many ways of reading the same text. Simplify its patterns and alternatives.");
}
