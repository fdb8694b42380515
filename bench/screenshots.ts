// Conversations of screenshots, as agents have them.
import { mkdtemp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import type { Turn } from "../src/agent/dialects/dialect.js";
import type { ChatPrompt } from "../src/agent/dialects/prompt.js";
import { qwen3 } from "../src/agent/dialects/qwen.js";
import type { ModelReply } from "../src/agent/model-client.js";
import type { ChatMessage } from "../src/engine/messages.js";

export const SIDE_PX = 320;

const TINY = fileURLToPath(new URL("../models/tiny", import.meta.url));

const drawn = new Map<string, Promise<Buffer>>();

/** A screen of boxes that no other seed gives. */
export function screenshot(seed: number, size = { width: SIDE_PX, height: SIDE_PX }): Promise<Buffer> {
  const key = `${seed} ${size.width}`;
  const known = drawn.get(key) ?? draw(seed, size);
  drawn.set(key, known);
  return known;
}

async function draw(seed: number, { width, height }: { width: number; height: number }): Promise<Buffer> {
  const box = (i: number): string => `<rect x="${(i * 37 + seed * 13) % (width - 30)}" y="${(i * 53 + seed * 7) % (height - 20)}" width="${20 + ((i * seed) % 90)}" height="14" fill="rgb(${(i * 40) % 255},${(seed * 3) % 255},120)"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#eee"/>${Array.from({ length: 24 }, (_, i) => box(i)).join("")}</svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

/** What a turn took up to its first token. */
export interface FirstToken {
  /** On the clock, and of processors where that is known. */
  ms: number;
  cpuMs?: number;
}

/** A conversation of so many screenshots but the last, which can be asked about with one new screenshot after another in its place. */
export interface Turns<M> {
  /** What is sent for the step of this number, with a screenshot that no other seed gives. */
  at(step: number, seed: number): Promise<M>;
}

/** Every screenshot stays. */
export class AllScreenshots implements Turns<ChatMessage[]> {
  constructor(private readonly conversation: number) {}

  async at(step: number, seed: number): Promise<ChatMessage[]> {
    const messages: ChatMessage[] = [];
    for (let earlier = 1; earlier < step; earlier++) messages.push(await this.#user(earlier, earlier), { role: "assistant", content: "OK" });
    return [...messages, await this.#user(step, seed)];
  }

  async #user(step: number, seed: number): Promise<ChatMessage> {
    return { role: "user", content: [{ type: "text", text: `${step}` }, { type: "image", image: await screenshot(this.conversation * 1000 + seed, { width: SIDE_PX, height: SIDE_PX }) }] };
  }
}

const SCREEN = { width: 640, height: 480 };
const REPLY: ModelReply = { text: "", toolCalls: [{ id: "call_1", name: "computer_use", arguments: '{"action": "left_click", "coordinate": [500, 500]}' }], finishReason: "tool_calls", firstPieceMs: 0, totalMs: 0 };

/** As the agent has it: what it says and does stays, old screenshots go at every eighth step. */
export class AgentsScreenshots implements Turns<ChatPrompt> {
  constructor(private readonly conversation: number) {}

  async at(step: number, seed: number): Promise<ChatPrompt> {
    const turns: Turn[] = [];
    for (let earlier = 1; earlier < step; earlier++) turns.push({ summary: "click Next", reply: { ...REPLY, text: `Action: click Next, for the ${earlier}. time` }, picture: await this.#picture(earlier), hadEffect: true });
    return qwen3.render({ task: "press Next until the last page is there", turns, picture: await this.#picture(seed), screen: SCREEN }) as ChatPrompt;
  }

  async #picture(seed: number): Promise<string> {
    return `data:image/png;base64,${(await screenshot(this.conversation * 1000 + seed, SCREEN)).toString("base64")}`;
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
