// `npm run docs [-- --measure]`: writes docs/models.md; with --measure, after measuring every golden's errors anew.
import { readFileSync, writeFileSync } from "node:fs";
import { ERRORS, measure, modelFixtures, modelsPage, PAGE } from "./figures.js";

let errors = JSON.parse(readFileSync(ERRORS, "utf8")) as Record<string, number>;
if (process.argv.includes("--measure")) {
  errors = {};
  // Two digits: the rest changes with the machine's instruction set.
  for (const fixture of modelFixtures()) errors[fixture.name] = Number((await measure(fixture)).toPrecision(2));
  writeFileSync(ERRORS, `${JSON.stringify(errors, null, 2)}\n`);
}
writeFileSync(PAGE, await modelsPage(errors));
