import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadArchitecture, registeredModelTypes } from "../../../src/engine/models/registry.js";
import { MLX_LAYOUTS } from "../../../src/engine/convert/layouts.js";
import { detectToolCallFormat } from "../../../src/engine/tools/detect.js";
import { FixtureModel, storedModel } from "./converted.js";
import { loadEngine, logitsOf, promptOf } from "./engine.js";
import { FIXTURES, readGolden, relativeError } from "./golden.js";
import { whisperLogitError } from "./whisper.js";

/** The largest logit errors seen, by fixture: measured by `npm run docs -- --measure`, kept beside the fixtures. */
export const ERRORS = fileURLToPath(new URL("../logit-errors.json", import.meta.url));
export const PAGE = fileURLToPath(new URL("../../../docs/models.md", import.meta.url));

/** Families that write down speech, each with a loader of its own. */
export const TRANSCRIBERS: readonly string[] = ["whisper"];

/** A fixture that holds one model's conversations, or what it heard. */
interface ModelFixture {
  name: string;
  /** The model's folder, or that of the plain one that it is converted from. */
  dir: string;
  modelType: string;
  oracle: string;
}

export function modelFixtures(): ModelFixture[] {
  return readdirSync(FIXTURES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(`${FIXTURES}${entry.name}/golden.json`))
    .flatMap(({ name }) => {
      const { model_type: modelType, oracle, cases, sounds } = JSON.parse(readFileSync(`${FIXTURES}${name}/golden.json`, "utf8")) as { model_type?: string; oracle: string; cases?: { messages?: unknown }[]; sounds?: unknown };
      return modelType !== undefined && (sounds !== undefined || cases?.some(({ messages }) => messages !== undefined)) ? [{ name, dir: storedModel(name), modelType, oracle }] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The largest difference of a fixture's logits, in float32, as a part of the largest logit. */
export async function measure({ name, modelType }: ModelFixture): Promise<number> {
  if (TRANSCRIBERS.includes(modelType)) return whisperLogitError(name);
  const golden = readGolden(name);
  using model = await FixtureModel.open(name);
  const { architecture, ...parts } = await loadEngine(model.dir);
  try {
    let worst = 0;
    for (const one of golden.cases) {
      const rows = golden.require(`${one.name}.logit_positions`).data as Int32Array<ArrayBuffer>;
      using logits = logitsOf(architecture, await promptOf({ architecture, ...parts }, one), rows);
      worst = Math.max(worst, relativeError(logits.toArray(), golden.require(`${one.name}.logits`).data));
    }
    return worst;
  } finally {
    architecture[Symbol.dispose]();
  }
}

/** docs/models.md as it should be: every family that is registered, and how it is shown to be right. */
export async function modelsPage(errors: Readonly<Record<string, number>>): Promise<string> {
  const fixtures = modelFixtures();
  const rows: string[][] = [];
  for (const modelType of registeredModelTypes().sort()) {
    const own = fixtures.filter((fixture) => fixture.modelType === modelType);
    const dense = own.find(({ oracle }) => oracle.startsWith("transformers")) ?? own[0];
    const figures = own.flatMap(({ name }) => (errors[name] === undefined ? [] : [errors[name]]));
    rows.push([
      `\`${modelType}\``,
      dense === undefined ? "not shown" : await taken(dense.dir),
      own.length === 0 ? "not shown" : formats(own),
      [...new Set(own.map(({ oracle }) => oracle))].sort().join(", ") || "no reference yet",
      figures.length === 0 ? "not measured" : Math.max(...figures).toExponential(1),
      MLX_LAYOUTS[modelType] === undefined ? "no" : "yes",
    ]);
  }
  for (const modelType of TRANSCRIBERS) {
    const own = fixtures.filter((fixture) => fixture.modelType === modelType);
    const largest = Math.max(...own.map(({ name }) => errors[name] ?? NaN)).toExponential(1);
    rows.push([`\`${modelType}\``, "sound", "none", [...new Set(own.map(({ oracle }) => oracle))].sort().join(", "), largest, MLX_LAYOUTS[modelType] === undefined ? "no" : "yes"]);
  }
  rows.sort(([a], [b]) => (a!.slice(1, -1) < b!.slice(1, -1) ? -1 : 1));
  const head = ["`model_type`", "takes", "tool calls", "tested against", "largest error", "`deskhand convert`"];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return `${INTRODUCTION}\n${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}

const INTRODUCTION = `# Models

What \`load\`, \`deskhand serve\` and \`deskhand generate\` run: any folder whose config.json has one of these as its \`model_type\`. \`npm run docs\` writes this page.
\`whisper\` writes down speech: \`loadTranscriber\` and \`deskhand transcribe\` run it.

Every family is held against a reference implementation on small random models of its architecture: the same prompt and token ids, the same greedy tokens, and logits
in float32 that differ by less than 10⁻⁴ of the largest. The column *largest error* is the largest such difference seen over all its models, plain and quantised.
*Tool calls* is the format that the chat templates of these test models teach; what another template teaches is told from the template itself. Of Qwen-Omni the thinker is loaded,
which hears and sees and answers in text. A family that takes pictures but no videos is given a video's frames as pictures, without its sound. A config.json that asks for
something a family does not compute is refused by the field's name.

\`deskhand convert\` writes the layout that mlx-lm, mlx-vlm or mlx-audio loads, so a family that none of them has a layout for is not converted. Of Qwen3-Omni it writes the thinker,
which mlx-vlm loads without the parts that speak.
`;

function formats(fixtures: readonly ModelFixture[]): string {
  const names = fixtures.map(({ dir }) => `${dir}/chat_template.jinja`).filter(existsSync).map((path) => detectToolCallFormat(readFileSync(path, "utf8"))?.name);
  return [...new Set(names.filter((name) => name !== undefined))].sort().join(", ") || "as the template says";
}

/** What goes into a model besides text. */
async function taken(dir: string): Promise<string> {
  const { architecture, processor } = await loadArchitecture(dir);
  architecture[Symbol.dispose]();
  return ["text", ...(processor === undefined ? [] : ["pictures"]), ...(processor?.video === undefined ? [] : ["videos"]), ...(processor?.takesAudio === true ? ["sound"] : [])].join(", ");
}
