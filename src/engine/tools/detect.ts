import { DeskhandError } from "../../core/errors.js";
import { deepseek } from "./deepseek.js";
import type { ToolCallFormat } from "./format.js";
import { gemma } from "./gemma.js";
import { glm } from "./glm.js";
import { hermes } from "./hermes.js";
import { kimi } from "./kimi.js";
import { lfm } from "./lfm.js";
import { llamaJson } from "./llama-json.js";
import { llamaPythonic } from "./llama-pythonic.js";
import { mistral } from "./mistral.js";
import { phi } from "./phi.js";
import { qwenXml } from "./qwen-xml.js";

/** Every format known, most specific first. */
export const TOOL_CALL_FORMATS: readonly ToolCallFormat[] = [deepseek, kimi, lfm, glm, qwenXml, hermes, mistral, phi, gemma, llamaPythonic, llamaJson];

/** The tool-call format that a model's chat template teaches it; `undefined` when it teaches none that is known here. */
export function detectToolCallFormat(chatTemplate: string): ToolCallFormat | undefined {
  return TOOL_CALL_FORMATS.find((format) => format.matches(chatTemplate));
}

/** A format by its name. @throws DeskhandError `invalid_argument` naming the formats there are. */
export function toolCallFormat(name: string): ToolCallFormat {
  const format = TOOL_CALL_FORMATS.find((one) => one.name === name);
  if (format !== undefined) return format;
  throw new DeskhandError("invalid_argument", `Expected a tool format (${TOOL_CALL_FORMATS.map((one) => one.name).join(", ")}) but received "${name}".`, { param: "toolFormat" });
}
