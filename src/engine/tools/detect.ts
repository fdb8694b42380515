import type { ToolCallFormat } from "./format.js";
import { hermes } from "./hermes.js";

/** Every format known, most specific first. */
const FORMATS: readonly ToolCallFormat[] = [hermes];

/** The tool-call format that a model's chat template teaches it; `undefined` when it teaches none that is known here. */
export function detectToolCallFormat(chatTemplate: string): ToolCallFormat | undefined {
  return FORMATS.find((format) => format.matches(chatTemplate));
}
