import { Command } from "commander";
import { listModels } from "../server/engine-source.js";
import type { KnownModel } from "../server/model-list.js";

/** `deskhand models`: every model this machine knows of, as a table or, with `--json`, as one line of JSON. */
export function modelsCommand(): Command {
  return new Command("models")
    .description("list the models: shipped, in the Hugging Face cache, and those with a short name")
    .option("--json", "print one line of JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const models = await listModels();
      process.stdout.write(json ? `${JSON.stringify(models.map(toJson))}\n` : table(models));
    });
}

function toJson({ id, aliases, isCached, modelType, sizeBytes, quantization }: KnownModel) {
  return { id, aliases, cached: isCached, model_type: modelType ?? null, size_bytes: sizeBytes ?? null, quantization: quantization ?? null };
}

function table(models: readonly KnownModel[]): string {
  const rows = [
    ["MODEL", "ALIAS", "TYPE", "SIZE", "QUANTISED"],
    ...models.map(({ id, aliases, isCached, modelType, sizeBytes, quantization }) => [
      id,
      aliases.join(", ") || "-",
      modelType ?? "-",
      isCached ? size(sizeBytes) : "not downloaded",
      isCached ? (quantization ?? "no") : "-",
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()}\n`).join("");
}

function size(bytes: number | undefined): string {
  if (bytes === undefined) return "-";
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
