import { join } from "node:path";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
// Types are not needed for what is asked here, and the snippets are in no project.
const eslint = new ESLint({ cwd: root, overrideConfig: [tseslint.configs.disableTypeChecked] as NonNullable<ESLint.Options["overrideConfig"]> });

const DIRECTIONS = ["import-x/no-restricted-paths", "no-restricted-imports"];

async function violations(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(root, filePath) });
  expect(result?.messages.filter((message) => message.fatal)).toEqual([]);
  return (result?.messages ?? []).map((message) => message.ruleId ?? "").filter((rule) => DIRECTIONS.includes(rule));
}

it.each([
  ["src/core/snippet.ts", "../engine/inference.js"],
  ["src/engine/snippet.ts", "../server/app.js"],
  ["src/engine/snippet.ts", "../agent/actions.js"],
  ["src/server/snippet.ts", "../agent/actions.js"],
  ["src/agent/snippet.ts", "../engine/inference.js"],
  ["src/agent/computer/snippet.ts", "../../engine/messages.js"],
  ["src/tools/snippet.ts", "../engine/inference.js"],
  ["src/engine/generate/snippet.ts", "../mlx/native.js"],
  ["src/server/snippet.ts", "../engine/mlx/tensor.js"],
  ["src/core/snippet.ts", "../index.js"],
])("%s may not import %s", async (file, target) => {
  expect(await violations(file, `import * as all from "${target}";\nexport default all;\n`)).not.toEqual([]);
});

it.each([
  ["src/engine/snippet.ts", "../core/errors.js"],
  ["src/engine/nn/snippet.ts", "../mlx/tensor.js"],
  ["src/engine/mlx/snippet.ts", "./native.js"],
  ["src/server/snippet.ts", "../engine/inference.js"],
  ["src/agent/snippet.ts", "../server/app.js"],
  ["src/tools/snippet.ts", "../agent/actions.js"],
  ["src/tools/snippet.ts", "../index.js"],
])("%s may import %s", async (file, target) => {
  expect(await violations(file, `import * as all from "${target}";\nexport default all;\n`)).toEqual([]);
});
