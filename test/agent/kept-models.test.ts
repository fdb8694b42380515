import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type * as compiled from "../../src/agent/kept-models.js";
import { readTrajectory } from "../../src/agent/replay/read-trajectory.js";
import { call, withPlace } from "../mcp/support.js";
import { until } from "../support/desktop.js";

/** Models that agents start themselves, kept from run to run: told apart by the addresses of their servers, each on a free port. */

const BIN = fileURLToPath(new URL("../../bin/deskhand.js", import.meta.url));
let KeptModels: (typeof compiled)["KeptModels"];
// Servers start engines as compiled programs; whatever the checkout still has to build is built here.
beforeAll(async () => {
  await once(spawn(process.execPath, [BIN, "--version"], { stdio: "ignore" }), "exit");
  ({ KeptModels } = (await import(new URL("../../dist/agent/kept-models.js", import.meta.url).href)) as typeof compiled);
});

const answers = (address: string) => fetch(address).then(() => true, () => false);

describe("models that are kept", () => {
  it("are let go of when nobody has used them for a while, and loaded again", async () => {
    await using keptModels = new KeptModels({ idleMs: 1 });
    const { signal } = new AbortController();
    const first = await keptModels.use("tiny", undefined, signal);
    const firstAddress = first.client.baseURL;
    const beside = await keptModels.use("tiny", undefined, signal);
    expect(beside.client.baseURL).toBe(firstAddress);
    await first.close();
    await first.close();
    // The other one still uses it.
    expect(await answers(firstAddress)).toBe(true);
    await beside.close();
    await until("it is let go of", async () => !(await answers(firstAddress)));
    const again = await keptModels.use("tiny", undefined, signal);
    expect(await answers(again.client.baseURL)).toBe(true);
  });

  it("are not waited for by whoever is called off, and can be had at the next try", async () => {
    await using keptModels = new KeptModels();
    const impatient = new AbortController();
    const given = keptModels.use("tiny", undefined, impatient.signal);
    impatient.abort();
    await expect(given).rejects.toMatchObject({ code: "cancelled" });
    await expect(keptModels.use("./no-such-folder", undefined, new AbortController().signal)).rejects.toThrow();
    const model = await keptModels.use("tiny", undefined, new AbortController().signal);
    expect(await answers(model.client.baseURL)).toBe(true);
  });

  it("serve run_task call after call, until the server ends", async () => {
    const outRoot = await mkdtemp(join(tmpdir(), "deskhand-kept-"));
    try {
      const keptModels = new KeptModels();
      await withPlace({ mcp: { task: { model: "tiny", keptModels, maxSteps: 1, outRoot } } }, async ({ connect }) => {
        const client = await connect();
        for (let run = 0; run < 2; run++) await call(client, "run_task", { task: "press OK" });
      });
      const runs = await Promise.all((await readdir(outRoot)).map((name) => readTrajectory(join(outRoot, name))));
      const [first, second] = runs.map(({ run: { baseURL } }) => baseURL);
      expect(second).toBe(first);
      expect(await answers(first!)).toBe(true);
      await keptModels[Symbol.asyncDispose]();
      expect(await answers(first!)).toBe(false);
    } finally {
      await rm(outRoot, { recursive: true });
    }
  });
});
