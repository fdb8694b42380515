import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { soak } from "../../bench/soaking.js";

/** The short form of `npm run soak`: memory settles and delays mean something in the long one only. */
const REQUESTS = 300;
const WARM_UP = 120;
const MODEL = fileURLToPath(new URL("../golden/fixtures/qwen3-vl/model", import.meta.url));
const PICTURE = new URL("../golden/fixtures/pictures/shapes-64x80.png", import.meta.url);

it("mixed requests, a tenth of whose clients leave in the middle of a stream, leave no tensor behind and the engine running", async () => {
  const picture = `data:image/png;base64,${(await readFile(PICTURE)).toString("base64")}`;
  const { before, after, statuses, left } = await soak({ model: MODEL, requests: REQUESTS, warmUp: WARM_UP, picture });
  expect(Object.keys(statuses)).toEqual(["200", "400"]);
  expect(left).toBe((REQUESTS + WARM_UP) / 10);
  expect(after.liveTensors).toBe(before.liveTensors);
  expect(after.enginePid).toBe(before.enginePid);
});
