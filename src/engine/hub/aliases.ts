/** Short names for models. `tiny` and `hear` are shipped with the package, the others live on the Hugging Face hub. */
export const HUB_ALIASES: Readonly<Record<string, string>> = {
  qwen: "mlx-community/Qwen3-VL-4B-Instruct-4bit",
  gemma: "mlx-community/gemma-3-4b-it-4bit",
  mistral3: "mlx-community/Ministral-3-3B-Instruct-2512-4bit",
};

/** Names of the models in the package's `models/` folder. */
export const EMBEDDED_MODELS: readonly string[] = ["tiny", "hear"];

const ALIASES: readonly string[] = [...Object.keys(HUB_ALIASES), ...EMBEDDED_MODELS];

/** The alias a mistyped name was probably meant to be. */
export function nearestAlias(name: string): string | undefined {
  const wanted = name.toLowerCase();
  const [best] = ALIASES.map((alias) => ({ alias, distance: editDistance(wanted, alias) })).sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(1, Math.floor(best.alias.length / 2)) ? best.alias : undefined;
}

/** "qwen (mlx-community/…), gemma (…), tiny (shipped with deskhand)", for messages. */
export function describeAliases(): string {
  return [...Object.entries(HUB_ALIASES).map(([alias, id]) => `${alias} (${id})`), ...EMBEDDED_MODELS.map((name) => `${name} (shipped with deskhand)`)].join(", ");
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}
