import { readdirSync, readFileSync } from "node:fs";
import { goldenPath } from "./golden.js";
import { PUBLISHED_TOKENIZERS } from "./published-tokenizers.js";

/** The package does not export its collection, but carries the source of it. */
const COLLECTION = new URL("../../../node_modules/@huggingface/ollama-utils/src/chat-template-automap.ts", import.meta.url);
const { OLLAMA_CHAT_TEMPLATE_MAPPING } = (await import(COLLECTION.href)) as { OLLAMA_CHAT_TEMPLATE_MAPPING: readonly { model: string; gguf: string }[] };

const OWN = new URL("../fixtures/templates/", import.meta.url);

/** Families whose published templates no package carries: the templates of their fixtures, which write the same marks. */
const OF_FIXTURES = ["gemma3", "idefics3", "llava", "llava-bf16", "mistral3", "phi3-v", "qwen2-vl", "qwen3-vl", "smolvlm"];

/** These need variables of their own (a guideline, functions beside the tools), or lose the text of contents that are strings. */
const NOT_FOR_CHATS = ["firefunction-v2:70b", "shieldgemma:27b", "llama-guard3:1b"];

/**
 * Chat templates by name. With a colon: as the models' GGUF files hold them, collected in @huggingface/ollama-utils. `qwen2.5`: from its
 * tokenizer's package. `fixture …` and `own …`: ours.
 */
export function publishedTemplates(): Map<string, string> {
  const templates = new Map<string, string>();
  for (const { model, gguf } of OLLAMA_CHAT_TEMPLATE_MAPPING) {
    let name = model.replace("library/", "");
    while (templates.has(name)) name += "'";
    if (!NOT_FOR_CHATS.includes(name)) templates.set(name, gguf);
  }
  templates.set("qwen2.5", String(PUBLISHED_TOKENIZERS["qwen2.5"]!().tokenizerConfig["chat_template"]));
  for (const name of OF_FIXTURES) templates.set(`fixture ${name}`, readFileSync(goldenPath(`${name}/model/chat_template.jinja`), "utf8"));
  for (const file of readdirSync(OWN).sort()) templates.set(`own ${file.replace(".jinja", "")}`, readFileSync(new URL(file, OWN), "utf8"));
  return templates;
}
