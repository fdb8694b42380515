import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publishedTemplates } from "./published-templates.js";
import { PUBLISHED_TOKENIZERS } from "./published-tokenizers.js";

// For training/golden: writes every published tokenizer and chat template below a folder.
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Expected a folder.");
for (const [name, files] of Object.entries(PUBLISHED_TOKENIZERS)) {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, "tokenizer.json"), JSON.stringify(files().tokenizer));
}
writeFileSync(join(folder, "chat-templates.json"), JSON.stringify(Object.fromEntries(publishedTemplates())));
