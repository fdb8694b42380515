// Conversations of screenshots, as agents have them.
import { mkdtemp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import type { ChatMessage } from "../src/engine/messages.js";

export const SIDE_PX = 320;

const TINY = fileURLToPath(new URL("../models/tiny", import.meta.url));

/** A screen of boxes that no other seed gives. */
export async function screenshot(seed: number): Promise<Buffer> {
  const box = (i: number): string => `<rect x="${(i * 37 + seed * 13) % 290}" y="${(i * 53 + seed * 7) % 300}" width="${20 + ((i * seed) % 90)}" height="14" fill="rgb(${(i * 40) % 255},${(seed * 3) % 255},120)"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE_PX}" height="${SIDE_PX}"><rect width="100%" height="100%" fill="#eee"/>${Array.from({ length: 24 }, (_, i) => box(i)).join("")}</svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

/** What a turn took up to its first token. */
export interface FirstToken {
  /** On the clock, and of processors where that is known. */
  ms: number;
  cpuMs?: number;
}

/** A conversation that grows by a screenshot and an answer with each step. */
export class History {
  readonly messages: ChatMessage[] = [];
  #step = 0;

  constructor(
    readonly seed: number,
    readonly ask: (messages: readonly ChatMessage[]) => Promise<FirstToken>,
  ) {}

  async step(): Promise<FirstToken> {
    const image = await screenshot(this.seed * 1000 + ++this.#step);
    this.messages.push({ role: "user", content: [{ type: "text", text: `${this.#step}` }, { type: "image", image }] });
    const first = await this.ask(this.messages);
    this.messages.push({ role: "assistant", content: "OK" });
    return first;
  }
}

/** The embedded model, but for pictures that it would see enlarged: fifty of those are more than it holds. */
export async function modelOfSmallPictures(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "deskhand-bench-"));
  for (const name of await readdir(TINY)) if (name !== "preprocessor_config.json") await symlink(join(TINY, name), join(dir, name));
  const config = JSON.parse(await readFile(join(TINY, "preprocessor_config.json"), "utf8")) as { size: { shortest_edge: number } };
  config.size.shortest_edge = SIDE_PX ** 2;
  await writeFile(join(dir, "preprocessor_config.json"), JSON.stringify(config));
  return dir;
}
