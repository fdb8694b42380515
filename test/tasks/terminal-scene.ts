import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OpenedComputer } from "../../src/agent/computer/index.js";
import { until } from "../support/desktop.js";
import type { Box, Scene } from "./scene.js";

const COLUMNS = 76;
const ROWS = 20;
const BORDER = 2;
const TITLE = "Terminal";

/** xterm with a shell that keeps what it was told; its folder is another witness. */
export async function openTerminalScene({ computer, env }: OpenedComputer): Promise<Scene> {
  const home = await mkdtemp(join(tmpdir(), "deskhand-terminal-"));
  const work = join(home, "work");
  const record = join(home, "record");
  await mkdir(work);
  await writeFile(record, "");
  const shell = ["bash", "--noprofile", "--rcfile", fileURLToPath(new URL("applications/terminal.bashrc", import.meta.url))];
  const looks = ["-fa", "DejaVu Sans Mono", "-fs", "10", "-u8", "-bg", "white", "-fg", "black", "-b", `${BORDER}`, "+sb", "-geometry", `${COLUMNS}x${ROWS}+0+0`];
  const child = spawn("xterm", ["-title", TITLE, "-xrm", "*allowTitleOps: false", ...looks, "-e", ...shell], {
    cwd: work,
    env: { ...env, WORKBENCH_RECORD: record, HOME: home, LC_ALL: "C.UTF-8" },
    stdio: "ignore",
  });
  const ended = once(child, "close");

  const commands = async () =>
    (await readFile(record, "utf8")).split("\0").flatMap((entry) => {
      const [, code, text] = /^\n?(\d+)\t\s*\d+\s\s(.*)\n$/s.exec(entry) ?? [];
      return text === undefined ? [] : [{ code: Number(code), text }];
    });
  /** Where a cell of the screen is, counted from 0. */
  const cell = async (column: number, row: number): Promise<Box> => {
    const window = (await computer.windows?.list())?.find(({ title }) => title === TITLE);
    if (!window) throw new Error("Expected the terminal's window to be there but it is not.");
    const [width, height] = [(window.width - 2 * BORDER) / COLUMNS, (window.height - 2 * BORDER) / ROWS];
    const [left, top] = [window.x + BORDER + column * width, window.y + BORDER + row * height];
    return [left, top, left + width, top + height];
  };
  const answers: Record<string, (given: Record<string, unknown>) => Promise<unknown>> = {
    state: async () => ({ values: { files: (await readdir(work)).sort() }, pressed: [], commands: await commands() }),
    report: async () => ({ windows: [], elements: [] }),
    cell: async ({ column, row }) => cell(Number(column), Number(row)),
  };
  const scene: Scene = {
    async ask(command, given = {}) {
      const answer = answers[command];
      if (!answer) throw new Error(`Expected a command of the terminal among ${Object.keys(answers).join(", ")} but received ${command}.`);
      return answer(given);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
  try {
    await until("the shell waits in the terminal that has the keyboard", async () => (await computer.windows?.focused())?.title === TITLE && (await readFile(record, "utf8")).endsWith("\0"));
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
  return scene;
}
