import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convert } from "../../../src/engine/convert/convert.js";
import { FIXTURES, type Golden } from "./golden.js";

/** A fixture's model: stored beside its goldens, or made here by converting another fixture's, as its golden.json says. */
export class FixtureModel implements Disposable {
  readonly #temporary: string | undefined;

  private constructor(
    readonly dir: string,
    temporary?: string,
  ) {
    this.#temporary = temporary;
  }

  static async open(fixture: string): Promise<FixtureModel> {
    const converted = conversionOf(fixture);
    if (converted === undefined) return new FixtureModel(storedModel(fixture));
    const temporary = mkdtempSync(join(tmpdir(), "deskhand-fixture-"));
    try {
      return new FixtureModel(await convert(storedModel(converted.from), { ...converted.options, out: join(temporary, "model") }), temporary);
    } catch (error) {
      rmSync(temporary, { recursive: true });
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#temporary !== undefined) rmSync(this.#temporary, { recursive: true });
  }
}

/** The folder that is in the repository: for a fixture made by conversion, that of its source. */
export function storedModel(fixture: string): string {
  if (fixture === "embedded") return fileURLToPath(new URL("../../../models/tiny", import.meta.url));
  return `${FIXTURES}${conversionOf(fixture)?.from ?? fixture}/model`;
}

function conversionOf(fixture: string): Golden["converted"] {
  return (JSON.parse(readFileSync(`${FIXTURES}${fixture}/golden.json`, "utf8")) as Pick<Golden, "converted">).converted;
}

interface Stored {
  dtype: string;
  shape: number[];
  bytes: string;
}

/** A folder's weights, read by hand: what is tested must not read itself. */
export function weightsOf(dir: string): Map<string, Stored> {
  const found = new Map<string, Stored>();
  for (const name of readdirSync(dir).filter((file) => file.endsWith(".safetensors"))) {
    const file = readFileSync(join(dir, name));
    const start = 8 + Number(file.readBigUInt64LE());
    const header = JSON.parse(file.toString("utf8", 8, start)) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
    for (const [key, { dtype, shape, data_offsets }] of Object.entries(header)) {
      if (key !== "__metadata__") found.set(key, { dtype, shape, bytes: file.subarray(start + data_offsets[0], start + data_offsets[1]).toString("base64") });
    }
  }
  return found;
}

/** MLX's names of types. */
const TYPES: Readonly<Record<string, string>> = { F32: "float32", BF16: "bfloat16", F16: "float16", U32: "uint32", U8: "uint8" };

/** Type, shape and a hash of every weight, as training/golden/families/conversions.py writes them. */
export function described(dir: string): Record<string, string> {
  const lines = [...weightsOf(dir)].map(([name, { dtype, shape, bytes }]): [string, string] => {
    const hash = createHash("sha256").update(Buffer.from(bytes, "base64")).digest("hex").slice(0, 16);
    return [name, `${TYPES[dtype]} [${shape.join(", ")}] ${hash}`];
  });
  return Object.fromEntries(lines.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** All of that in one hash. */
export function digest(dir: string): string {
  const lines = Object.entries(described(dir)).map(([name, said]) => `${name} ${said}`);
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}
