import type { Point, Region } from "../../agent/actions.js";
import type { CoordinateChain, ModelSpace, Size } from "../../agent/coordinates.js";
import { DIALECT_NAMES, dialectByName, type Dialect } from "../../agent/dialects/index.js";
import type { ModelReply } from "../../agent/model-client.js";
import { fitLine } from "./calibrate.js";

/** A reply to a request to click something, and what that was. */
export interface Aim {
  reply: ModelReply;
  /** On the picture that was sent, in its pixels. */
  place: Region;
}

/** What the model counts in. */
export interface Counting {
  hits: number;
  /** As a dialect has it; undefined for a picture of another size than the one sent. */
  space?: ModelSpace;
  words: string;
}

/** Beyond any picture: numbers come through as the model wrote them. */
const RAW_PX = 1_000_000;
const RAW: CoordinateChain = { space: { kind: "pixels" }, sent: square(RAW_PX), captured: square(RAW_PX), display: { x: 0, y: 0, ...square(RAW_PX), scale: 1 } };
/** A line through the answers of a model that counts on another picture leaves less than this, in parts of that picture. */
const MAX_RESIDUAL = 0.03;

/** The first place of a reply in the model's own numbers; undefined when this dialect cannot read one in it. */
export function rawPoint(dialect: Dialect, reply: ModelReply): Point | undefined {
  try {
    return dialect.parse(reply, RAW).actions.flatMap(({ points }) => points)[0]?.model;
  } catch {
    return undefined;
  }
}

/** How many answers hit in each way of counting that there is, the best first. */
export function countings(dialect: Dialect, aims: readonly Aim[], sent: Size): Counting[] {
  const known: Omit<Counting, "hits">[] = [
    { space: { kind: "relative", max: 1000 }, words: "from 0 to 1000" },
    { space: { kind: "pixels" }, words: `in pixels of the picture (${sent.width} × ${sent.height})` },
    { space: { kind: "relative", max: 1 }, words: "from 0 to 1" },
  ];
  const answered = aims.flatMap(({ reply, place }) => {
    const raw = rawPoint(dialect, reply);
    return raw ? [{ raw, place }] : [];
  });
  const count = (toSent: (raw: Point) => Point) => answered.filter(({ raw, place }) => contains(place, toSent(raw))).length;
  const counted = known.map((counting) => ({ ...counting, hits: count((raw) => toSent(raw, counting.space!, sent)) }));
  return [...counted, ...otherPicture(answered, sent, count)].sort((a, b) => b.hits - a.hits);
}

/** Dialects that read these replies, and count in this way. */
export function dialectsFor(aims: readonly Aim[], space: ModelSpace | undefined): string[] {
  const reads = (dialect: Dialect) => aims.filter(({ reply }) => rawPoint(dialect, reply) !== undefined).length;
  const most = Math.max(1, ...DIALECT_NAMES.map((name) => reads(dialectByName(name))));
  return DIALECT_NAMES.filter((name) => {
    const dialect = dialectByName(name);
    return reads(dialect) === most && (space === undefined || sameSpace(dialect.space, space));
  });
}

export function sameSpace(a: ModelSpace, b: ModelSpace): boolean {
  return a.kind === b.kind && (a.kind === "pixels" || b.kind === "pixels" || a.max === b.max);
}

function toSent({ x, y }: Point, space: ModelSpace, sent: Size): Point {
  return space.kind === "pixels" ? { x, y } : { x: (x * sent.width) / space.max, y: (y * sent.height) / space.max };
}

/** Whether the answers lie on a picture of some other size: a server that makes it smaller before the model sees it. */
function otherPicture(answered: readonly { raw: Point; place: Region }[], sent: Size, count: (toSent: (raw: Point) => Point) => number): Counting[] {
  if (answered.length < 3) return [];
  const middle = ({ x, y, width, height }: Region) => ({ x: x + width / 2, y: y + height / 2 });
  const [x, y] = (["x", "y"] as const).map((axis) => fitLine(answered.map(({ raw, place }) => [middle(place)[axis], raw[axis]])));
  if (!(x!.factor > 0 && y!.factor > 0)) return [];
  const size = { width: Math.round(x!.factor * sent.width), height: Math.round(y!.factor * sent.height) };
  if (x!.residual > MAX_RESIDUAL * size.width || y!.residual > MAX_RESIDUAL * size.height) return [];
  return [{ hits: count((raw) => ({ x: raw.x / x!.factor, y: raw.y / y!.factor })), words: `in pixels of a picture of about ${size.width} × ${size.height}, not of the one that is sent (${sent.width} × ${sent.height})` }];
}

function contains({ x, y, width, height }: Region, point: Point): boolean {
  return point.x >= x && point.y >= y && point.x < x + width && point.y < y + height;
}

function square(side: number): Size {
  return { width: side, height: side };
}
