import { DeskhandError } from "../core/errors.js";
import type { Engine } from "../engine/inference.js";
import type { KnownModel } from "./model-list.js";
export async function createEngine(model?: string): Promise<Engine> {
  throw new DeskhandError("unsupported_model", `no engine for ${model}`);
}
export async function listModels(): Promise<KnownModel[]> {
  return [];
}
export function aliasesOf(_id: string): string[] { return []; }
