import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tinyReply } from "../agent/support/replies.js";
import { until } from "../support/desktop.js";
import { call, withPlace } from "./support.js";

const CLICK = tinyReply("click OK", { action: "left_click", coordinate: [500, 500] });
const DONE = tinyReply("done", { action: "terminate", status: "success" });

it("run_task works until it is done, tells every step, and says where it is recorded", async () => {
  await withPlace({ replies: [CLICK, DONE] }, async ({ connect, computer, options }) => {
    const steps: unknown[] = [];
    const result = await call(await connect(), "run_task", { task: "press OK" }, { onprogress: (progress) => void steps.push(progress) });
    expect(result.isError).toBeUndefined();
    expect(result.structuredContent).toMatchObject({ success: true, stop: "terminate", steps: 2 });
    expect(steps).toEqual([{ progress: 1, total: 5, message: "click OK" }, { progress: 2, total: 5, message: "done" }]);
    expect(computer.events.filter(({ type }) => type === "click")).toEqual([{ type: "click", button: "left", count: 1, at: { x: 320, y: 240 } }]);
    const { trajectoryDir } = result.structuredContent as { trajectoryDir: string };
    expect(trajectoryDir.startsWith(options.task.outRoot!)).toBe(true);
    expect(await readFile(join(trajectoryDir, "trajectory.jsonl"), "utf8")).toContain('"task":"press OK"');
  });
});

it("ends with an error that says why when the task was not done, and keeps to the server's limit of steps", async () => {
  await withPlace({ replies: [CLICK, CLICK] }, async ({ connect }) => {
    expect(await call(await connect(), "run_task", { task: "press OK", max_steps: 2 })).toMatchObject({ isError: true, text: expect.stringMatching(/^Not done: Stopped at the limit of 2 steps/) as string });
  });
  const wander = [100, 300, 500, 700, 900, 950].map((at) => tinyReply(`move to ${at}`, { action: "mouse_move", coordinate: [at, at] }));
  await withPlace({ replies: wander }, async ({ connect }) => {
    expect((await call(await connect(), "run_task", { task: "press OK", max_steps: 500 })).text).toMatch(/limit of 5 steps/);
  });
});

it("a cancelled call stops the model, releases what is held, and leaves mouse and keyboard free", async () => {
  await withPlace({ replies: [{ text: "Action: ", hang: true }] }, async ({ connect, computer, model }) => {
    const [client, other] = [await connect(), await connect()];
    await call(client, "key_down", { keys: ["shift"], intent: "select" });
    const cancelling = new AbortController();
    const running = call(client, "run_task", { task: "press OK" }, { signal: cancelling.signal });
    await until("the model was asked", () => model.requests.length === 1);
    expect((await call(other, "click", { intent: "press OK" })).text).toMatch(/another session/);
    cancelling.abort();
    await expect(running).rejects.toThrow();
    await model.left;
    await call(client, "release");
    expect(computer.heldKeys.size).toBe(0);
    expect((await call(other, "click", { intent: "press OK" })).isError).toBeUndefined();
  });
});

it("a client that leaves stops its run", async () => {
  await withPlace({ replies: [{ text: "Action: ", hang: true }] }, async ({ connect, model }) => {
    const client = await connect();
    const running = call(client, "run_task", { task: "press OK" });
    running.catch(() => undefined);
    await until("the model was asked", () => model.requests.length === 1);
    await client.close();
    await model.left;
    await expect(running).rejects.toThrow();
  });
});

it("asks the client's user for what is risky, during a run too", async () => {
  await withPlace({ replies: [tinyReply("click Delete", { action: "left_click", coordinate: [500, 500] }), DONE] }, async ({ connect, computer }) => {
    const client = await connect(() => ({ action: "accept", content: { decision: "allow" } }));
    expect((await call(client, "run_task", { task: "tidy up" })).structuredContent).toMatchObject({ success: true });
    expect(client.asked).toEqual([expect.stringMatching(/Allow this on your computer: click at \(320, 240\)\? It may delete something/) as string]);
    expect(computer.events.filter(({ type }) => type === "click")).toHaveLength(1);
  });
});
