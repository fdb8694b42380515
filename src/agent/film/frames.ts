import sharp from "sharp";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import type { Size } from "../coordinates.js";
import { describeActions } from "../describe.js";
import type { Markup } from "../recorder/html.js";
import { drawActionsAlone, isDrawn } from "../recorder/overlay.js";
import type { StepLine } from "../recorder/records.js";
import { readPicture } from "../recorder/trajectory-folder.js";
import type { StoredTrajectory } from "../replay/read-trajectory.js";
import { hasScreen, type SeenStep } from "../replay/recorded-screen.js";
import { shownRegion } from "../scene.js";
import { captionHeight, drawCaption, type Caption } from "./caption.js";
import { PACE_SECONDS, WIDTH_PX } from "./defaults.js";

export const FilmOptions = z.object({
  /** How long a step is shown. */
  secondsPerStep: z.number().min(PACE_SECONDS.least).max(PACE_SECONDS.most).default(PACE_SECONDS.default),
  /** The film's width; its height follows from the screen's shape. */
  widthPx: z.number().int().min(WIDTH_PX.least).max(WIDTH_PX.most).default(WIDTH_PX.default),
});
export type FilmOptions = z.input<typeof FilmOptions>;

/** One picture of a film: RGB, row by row. */
export interface Frame {
  pixels: Buffer;
  ms: number;
}

export interface Film {
  size: Size;
  /** How many there will be. */
  count: number;
  frames(): AsyncGenerator<Frame>;
}

/** Of a step's time, how long the screen is shown before what was done on it. */
const BEFORE_SHARE = 0.35;
/** The beginning and the end are read, not watched. */
const CARD_SHARE = 1.25;

/** What one picture of a film shows. */
interface Shot {
  step: SeenStep;
  caption: Caption;
  marked: boolean;
  share: number;
}

/**
 * A run as a film: the task, each step's screen without and with what was done, how it ended.
 * @throws DeskhandError `invalid_argument` for other options, and when no screen was recorded.
 */
export function filmOf(trajectory: StoredTrajectory, options: FilmOptions): Film {
  const { secondsPerStep, widthPx } = parseWith(FilmOptions, options, "The film's options");
  const steps = trajectory.steps.filter(hasScreen);
  const [first] = steps;
  if (!first) throw new DeskhandError("invalid_argument", `Expected a trajectory with at least one screenshot but the one in ${trajectory.dir} has none: the run ended before it.`, { param: "trajectory" });
  const even = (value: number) => Math.max(2, Math.round(value / 2) * 2);
  const region = shownRegion(first.scene);
  const screen = { width: even(widthPx), height: even((widthPx * region.height) / region.width) };
  const size = { width: screen.width, height: screen.height + captionHeight(screen.width) };
  const shots = shotsOf(trajectory, steps);
  return {
    size,
    count: shots.length,
    async *frames() {
      for (const shot of shots) yield { pixels: await draw(trajectory.dir, shot, screen, size), ms: Math.round(secondsPerStep * shot.share * 100) * 10 };
    },
  };
}

function shotsOf({ run, steps, result }: StoredTrajectory, seen: readonly SeenStep[]): Shot[] {
  const [first, last] = [seen[0]!, seen.at(-1)!];
  const beginning: Shot = { step: first, caption: { mark: "Task", words: run.task, detail: `${run.model} · ${run.startedAt.slice(0, 10)}` }, marked: false, share: CARD_SHARE };
  const end: Caption = result ? { mark: result.success ? "Success" : "Not done", words: result.answer ?? result.reason, tone: result.success ? "good" : "bad" } : { mark: "Broken off", words: "The process ended before the run did.", tone: "bad" };
  const middle = seen.flatMap((step): Shot[] => {
    const caption = captionOf(step, steps.length);
    const shot = { step, caption, marked: true, share: 1 };
    return !step.actions.some(({ action }) => isDrawn(action)) ? [shot] : [{ ...shot, marked: false, share: BEFORE_SHARE }, { ...shot, share: 1 - BEFORE_SHARE }];
  });
  return [beginning, ...middle, { step: last, caption: end, marked: false, share: CARD_SHARE }];
}

function captionOf({ step, actions, summary, notDone, error }: StepLine, count: number): Caption {
  const mark = `${step} / ${count}`;
  const done = actions.length > 0 ? describeActions(actions) : (error ?? "nothing was done");
  const detail = error ?? notDone ?? (summary === done ? undefined : summary);
  return { mark, words: done, detail: detail === done ? undefined : detail, ...((error !== undefined || notDone !== undefined) && { tone: "bad" as const }) };
}

async function draw(dir: string, { step, caption, marked }: Shot, screen: Size, size: Size): Promise<Buffer> {
  const region = shownRegion(step.scene);
  // A part of the screen may have another shape.
  const factor = Math.min(screen.width / region.width, screen.height / region.height);
  const shown = { width: side(region.width * factor, screen.width), height: side(region.height * factor, screen.height) };
  const [left, top] = [Math.floor((screen.width - shown.width) / 2), Math.floor((screen.height - shown.height) / 2)];
  const picture = await sharp(await readPicture(dir, step.picture)).resize({ ...shown, fit: "fill" }).png({ compressionLevel: 0 }).toBuffer();
  const layers = [
    { input: picture, left, top },
    ...(marked ? [{ input: asSvg(drawActionsAlone(step.actions, step.scene, shown)), left, top }] : []),
    { input: asSvg(drawCaption(caption, size.width)), left: 0, top: screen.height },
  ];
  return sharp({ create: { ...size, channels: 3, background: "#000" } }).composite(layers).removeAlpha().raw().toBuffer();
}

/** Whole pixels, all of them where rounding alone leaves a gap. */
function side(length: number, room: number): number {
  return room - length <= 2 ? room : Math.max(1, Math.round(length));
}

/** XML knows fewer characters than HTML. */
function asSvg(markup: Markup): Buffer {
  return Buffer.from(markup.toString().replace(/[\ufffe\uffff]|\p{Surrogate}/gu, "\ufffd"));
}
