import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import x11, { type XDisplay } from "x11";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startVirtualDisplay, type VirtualDisplay } from "../../src/agent/computer/index.js";
import { descendantsOf, isAlive, until } from "../support/desktop.js";

const VICTIM = fileURLToPath(new URL("../support/hold-keys.ts", import.meta.url));
const SHIFT = 50;
const A = 38;
const BUTTON_1 = 1 << 8;

/** Keys and buttons should be up again within this time of the death. */
const RELEASE_MS = 1000;

async function startVictim(env: NodeJS.ProcessEnv, ...args: string[]): Promise<{ child: ChildProcess; children: number[]; displayName: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", VICTIM, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const line = await Promise.race([once(child.stdout.setEncoding("utf8"), "data"), once(child, "exit").then(() => Promise.reject(new Error(errors)))]);
  const { displayName } = JSON.parse(String(line[0])) as { displayName: string };
  return { child, children: descendantsOf(child.pid ?? 0), displayName };
}

/** The server's own view, through a connection that has nothing to do with the victim's. */
async function watch(displayName: string): Promise<{ held: () => Promise<{ keys: number[]; buttons: number }>; close: () => void }> {
  const display = await new Promise<XDisplay>((resolve, reject) => x11.createClient({ display: displayName }, (error, found) => (error ? reject(error) : resolve(found))));
  const held = async (): Promise<{ keys: number[]; buttons: number }> => {
    const bits = await new Promise<Buffer>((resolve, reject) => display.client.QueryKeymap((error, value) => (error ? reject(error) : resolve(value))));
    const { keyMask } = await new Promise<{ keyMask: number }>((resolve, reject) => display.client.QueryPointer(display.screen[0].root, (error, value) => (error ? reject(error) : resolve(value))));
    const keys = Array.from({ length: 256 }, (_, keycode) => keycode).filter((keycode) => ((bits[keycode >> 3] ?? 0) >> (keycode & 7)) & 1);
    return { keys, buttons: keyMask & 0x1f00 };
  };
  return { held, close: () => display.client.terminate() };
}

describe("a process that dies while it holds keys and a button", () => {
  let virtual: VirtualDisplay;
  let server: Awaited<ReturnType<typeof watch>>;
  beforeAll(async () => {
    virtual = await startVirtualDisplay();
    server = await watch(virtual.display);
  });
  afterAll(async () => {
    server.close();
    await virtual.close();
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const)("lets go of them on %s, and leaves no process", async (signal) => {
    const { child, children } = await startVictim(virtual.env, "current");
    expect(await server.held()).toEqual({ keys: [A, SHIFT], buttons: BUTTON_1 });
    expect(children.length).toBeGreaterThan(0);
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([null, signal]);
    await until("nothing is held", async () => JSON.stringify(await server.held()) === JSON.stringify({ keys: [], buttons: 0 }), RELEASE_MS);
    await until("its children have gone", () => !children.some(isAlive), 5000);
  });

  it.each(["exit", "throw"])("lets go of them when it ends by %s", async (ending) => {
    const { child, children } = await startVictim(virtual.env, "current", ending);
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(ending === "exit" ? 3 : 1);
    await until("nothing is held", async () => JSON.stringify(await server.held()) === JSON.stringify({ keys: [], buttons: 0 }), RELEASE_MS);
    await until("its children have gone", () => !children.some(isAlive), 5000);
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("lets go of what nut-js holds on %s, even when its last words are lost", async (signal) => {
    const { child, children } = await startVictim(virtual.env, "native");
    expect(await server.held()).toEqual({ keys: [A, SHIFT], buttons: BUTTON_1 });
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([null, signal]);
    // The watchdog has to load the native module first.
    await until("nothing is held", async () => JSON.stringify(await server.held()) === JSON.stringify({ keys: [], buttons: 0 }), 5000);
    await until("its children have gone", () => !children.some(isAlive), 5000);
  });
});

describe("a process that dies with a virtual display", () => {
  it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("takes the display with it on %s", async (signal) => {
    const { child, children, displayName } = await startVictim(process.env, "virtual");
    // Xvfb, openbox and the watchdog.
    expect(children.length).toBe(3);
    child.kill(signal);
    await once(child, "exit");
    await until("its children have gone", () => !children.some(isAlive), 5000);
    await expect(watch(displayName)).rejects.toThrow();
  });
});
