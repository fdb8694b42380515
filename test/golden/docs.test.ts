import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { registeredModelTypes } from "../../src/engine/models/registry.js";
import { ERRORS, modelFixtures, modelsPage, PAGE, TRANSCRIBERS } from "./support/figures.js";

// docs/models.md is generated: `npm run docs` brings it up to date, `npm run docs -- --measure` its errors as well.

const page = readFileSync(PAGE, "utf8");
const errors = JSON.parse(readFileSync(ERRORS, "utf8")) as Record<string, number>;

it("docs/models.md lists exactly the registered families", () => {
  const listed = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name).filter((name) => name !== "model_type");
  expect(listed).toEqual([...registeredModelTypes(), ...TRANSCRIBERS].sort());
});

it("docs/models.md is what the registry and the goldens say", async () => {
  expect(page).toBe(await modelsPage(errors));
});

it("every golden's error has been measured, and is as small as promised", () => {
  expect(Object.keys(errors).sort()).toEqual(modelFixtures().map(({ name }) => name).sort());
  for (const error of Object.values(errors)) expect(error).toBeLessThan(1e-4);
});
