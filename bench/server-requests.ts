import sharp from "sharp";
import { request, type Dispatcher } from "undici";

export interface Asked {
  model: string;
  text: string;
  /** Data URIs. */
  pictures?: readonly string[];
  maxTokens: number;
}

export interface Answered {
  /** From the request to the first piece of text. */
  firstMs: number;
  tokens: number;
}

interface Chunk {
  choices?: { delta?: { content?: string | null; reasoning_content?: string | null }; finish_reason?: string | null }[];
  usage?: { completion_tokens?: number; output_tokens?: number } | null;
}

/** The embedded model's ends of an answer, which would make answers of different lengths. */
export const ENDLESS = { "2022": -100, "2024": -100 };

/** Asks for a greedy streamed answer. */
export async function post(url: string, { model, text, pictures = [], maxTokens }: Asked): Promise<Dispatcher.ResponseData> {
  const content = [...pictures.map((picture) => ({ type: "image_url", image_url: { url: picture } })), { type: "text", text }];
  const body = { model, messages: [{ role: "user", content: pictures.length > 0 ? content : text }], max_tokens: maxTokens, temperature: 0, logit_bias: ENDLESS, stream: true, stream_options: { include_usage: true } };
  const answer = await request(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), headersTimeout: 0, bodyTimeout: 0 });
  if (answer.statusCode !== 200) throw new Error(`Expected an answer from ${url} but received ${answer.statusCode}: ${await answer.body.text()}`);
  return answer;
}

/** Asks, reads and times. */
export async function ask(url: string, asked: Asked): Promise<Answered> {
  const start = performance.now();
  const answer = await post(url, asked);
  let firstMs = NaN;
  let told: number | undefined;
  let pieces = 0;
  let rest = "";
  for await (const bytes of answer.body.setEncoding("utf8") as AsyncIterable<string>) {
    const lines = (rest + bytes).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data: {")) continue;
      const { choices: [choice] = [], usage } = JSON.parse(line.slice("data: ".length)) as Chunk;
      if (choice?.delta?.content || choice?.delta?.reasoning_content) {
        pieces++;
        if (Number.isNaN(firstMs)) firstMs = performance.now() - start;
      }
      told = usage?.completion_tokens ?? usage?.output_tokens ?? told;
    }
  }
  const tookMs = performance.now() - start;
  // An answer of no text at all ends at its end.
  return { firstMs: Number.isNaN(firstMs) ? tookMs : firstMs, tokens: told ?? pieces };
}

/** A picture of its own, as a data URI: rectangles and noise, by number. */
export async function pictureOf(number: number, { widthPx, heightPx }: { widthPx: number; heightPx: number }): Promise<string> {
  const box = (i: number): string => `<rect x="${(number * 37 + i * 91) % widthPx}" y="${(number * 53 + i * 67) % heightPx}" width="80" height="24" fill="hsl(${(number * 29 + i * 71) % 360} 60% 50%)"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}"><rect width="100%" height="100%" fill="#eee"/>${Array.from({ length: 8 }, (_, i) => box(i)).join("")}</svg>`;
  return `data:image/png;base64,${(await sharp(Buffer.from(svg)).png().toBuffer()).toString("base64")}`;
}
