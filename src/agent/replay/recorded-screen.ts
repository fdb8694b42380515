import { join } from "node:path";
import sharp from "sharp";
import { MouseButton } from "../actions.js";
import type { CheckedComputer } from "../check.js";
import { asPresented, toDataUri, type Look, type Presented } from "../observe.js";
import type { StepLine } from "../recorder/records.js";
import { readPicture } from "../recorder/trajectory-folder.js";
import { layOut, type PictureFormat, type Scene } from "../scene.js";

/** A step in which the screen was captured. */
export type SeenStep = StepLine & Required<Pick<StepLine, "scene" | "picture" | "chain">>;

export function hasScreen(step: StepLine): step is SeenStep {
  return step.scene !== undefined && step.picture !== undefined && step.chain !== undefined;
}

/** The screen of a recorded step, to be put before a model again: the same picture where it still has the size that model takes. */
export function recordedLook(dir: string, { scene, picture }: SeenStep): Look {
  return { scene, presentTo: async (format) => present(await readPicture(dir, picture), scene, format, join(dir, picture)) };
}

async function present(png: Buffer, scene: Scene, format: PictureFormat, path: string): Promise<Presented> {
  const layout = layOut(scene, format);
  const { width, height } = layout.picture.sent;
  const recorded = await sharp(png).metadata();
  if (recorded.format !== "png") throw new Error(`${path} is no PNG`);
  const fits = recorded.width === width && recorded.height === height;
  return asPresented(fits ? png : await sharp(png).resize({ width, height, fit: "fill" }).png({ compressionLevel: 1 }).toBuffer(), layout);
}

/** The enlarged place that was shown beside a notice. */
export async function recordedDetail(dir: string, { noticePicture }: StepLine): Promise<string | undefined> {
  return noticePicture === undefined ? undefined : toDataUri(await readPicture(dir, noticePicture));
}

/** What of the recorded computer answers are held against. Which buttons it had is not known: all. */
export function recordedComputer({ display, pointer }: Scene): CheckedComputer {
  return { buttons: MouseButton.options, display: async () => ({ id: "recorded", ...display }), cursor: async () => pointer };
}
