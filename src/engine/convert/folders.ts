import { join } from "node:path";
import { z } from "zod";
import { parseWith, readJson } from "../../core/json.js";
import { openModelFolder, type ModelFolder } from "../models/registry.js";
import { openWhisperFolder } from "../models/whisper/model.js";

const ModelType = z.object({ model_type: z.string() });

/**
 * Opens the weights of a model that chats, or of one that writes down speech. The caller closes them.
 * @throws DeskhandError as the one's or the other's loader.
 */
export async function openFolder(dir: string): Promise<ModelFolder> {
  const path = join(dir, "config.json");
  const { model_type: modelType } = parseWith(ModelType, await readJson(path), path, "unsupported_model");
  return modelType === "whisper" ? openWhisperFolder(dir) : openModelFolder(dir);
}
