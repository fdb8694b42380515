import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { DIALECT_NAMES, dialectByName, dialectForModel } from "../../../src/agent/dialects/index.js";

/** docs/dialects.md against the dialects themselves. */
const page = readFileSync(new URL("../../../docs/dialects.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, name, models, , coordinates, api]) => ({ name: name!, models: [...models!.matchAll(/`([^`]+)`/g)].map(([, model]) => model!.replaceAll("…", "x")), coordinates: coordinates!, api: api! }));

it("every dialect has its row, in the order of the program", () => {
  expect(rows.map(({ name }) => name)).toEqual(DIALECT_NAMES);
});

it.each(rows)("$name is chosen for the models it names, counts as it says, and asks where it says", ({ name, models, coordinates, api }) => {
  expect(models.length).toBeGreaterThan(0);
  expect(models.map((model) => dialectForModel(model).name)).toEqual(models.map(() => name));
  const dialect = dialectByName(name);
  const { space, display } = dialect;
  expect(coordinates).toMatch(space.kind === "pixels" ? /^pixels/ : new RegExp(`^0 to ${space.max}$`));
  const prompt = dialect.render({ task: "press OK", turns: [], picture: "data:image/png;base64,", screen: display });
  expect(api.trim()).toBe({ chat: "chat completions", responses: "responses", messages: "messages" }[prompt.api]);
});
