import { deflateSync } from "node:zlib";
import { categorical, randomKey, scope, tensor } from "../mlx/index.js";
import type { HeadMatrices } from "./alignment.js";
import type { HeardWindow, WindowText } from "./heard-window.js";
import type { ResolvedTranscribeOptions } from "./options.js";
import { FRAMES_PER_TIMESTAMP } from "./segments.js";
import { applyTimestampRules, logSumExp } from "./timestamp-rules.js";
import type { WhisperVocabulary } from "./vocabulary.js";

/** What was made of a window. */
export interface WindowResult {
  /** Without the end of text. */
  tokens: number[];
  /** Natural logarithm of each token's probability, as it was chosen from. */
  logprobs: number[];
  temperature: number;
  /** Over all tokens, the end of text included. */
  avgLogprob: number;
  compressionRatio: number;
  noSpeechProb: number;
  /** Nobody speaks: the text is to be left out. */
  silent: boolean;
  /** Present when it was asked for: of each token but perhaps the last. */
  attention?: HeadMatrices;
}

export interface WindowTask {
  prompt: readonly number[];
  /** Frames of the window that hold sound. */
  frames: number;
  /** Most tokens, the prompt's included. */
  contextLength: number;
  vocabulary: WhisperVocabulary;
  options: ResolvedTranscribeOptions;
  /** Distinguishes windows, so that each draws other random numbers. */
  index: number;
  signal?: AbortSignal;
}

/** Random numbers of one window: a power of two above the tokens it can have at all temperatures together. */
const DRAWS_PER_WINDOW = 2 ** 13;

/**
 * Writes down a window: at the first temperature, and at the next ones while the text repeats itself or is unlikely
 * (arXiv:2212.04356, section 4.5).
 * @throws DeskhandError `cancelled` within one token of an abort.
 */
export async function decodeWindow(heard: HeardWindow, task: WindowTask): Promise<WindowResult> {
  const { prompt, frames, vocabulary, options, signal } = task;
  using text = heard.text(prompt, { heads: options.wordTimestamps ? vocabulary.alignmentHeads : [], signal });
  const start = prompt.lastIndexOf(vocabulary.startOfTranscript);
  const [atStart, first] = (await text.readPrompt([start, prompt.length - 1])) as [Float32Array, Float32Array];
  const noSpeechProb = Math.exp(atStart[vocabulary.noSpeech]! - logSumExp(atStart));
  const draw = tokenDrawer(options.seed, task.index);
  let result: WindowResult | undefined;
  for (const temperature of options.temperature) {
    if (result !== undefined) text.restart();
    const { tokens, logprobs, endLogprob } = await writeText(text, first.slice(), temperature, draw, task);
    const all = endLogprob === undefined ? logprobs : [...logprobs, endLogprob];
    const avgLogprob = all.reduce((sum, one) => sum + one, 0) / all.length;
    const compressionRatio = compressionRatioOf(vocabulary.textOf(tokens));
    const unlikely = avgLogprob < options.logprobThreshold;
    const silent = unlikely && noSpeechProb > options.noSpeechThreshold;
    result = { tokens, logprobs, temperature, avgLogprob, compressionRatio, noSpeechProb, silent };
    if (silent || !(unlikely || compressionRatio > options.compressionRatioThreshold)) break;
  }
  return { ...result!, ...(options.wordTimestamps && { attention: text.attention(Math.floor(frames / FRAMES_PER_TIMESTAMP)) }) };
}

/** How many times smaller zlib makes a text; 0 for none. */
export function compressionRatioOf(text: string): number {
  const bytes = Buffer.from(text, "utf8");
  return bytes.length / deflateSync(bytes).length;
}

async function writeText(text: WindowText, first: Float32Array, temperature: number, draw: Drawer, { vocabulary, contextLength, prompt }: WindowTask): Promise<{ tokens: number[]; logprobs: number[]; endLogprob?: number }> {
  const tokens: number[] = [];
  const logprobs: number[] = [];
  for (let logits = first; ; logits = await text.add(tokens.at(-1)!)) {
    applyTimestampRules(logits, tokens, vocabulary);
    const token = draw(logits, temperature);
    const logprob = logits[token]! - logSumExp(logits);
    if (token === vocabulary.endOfText) return { tokens, logprobs, endLogprob: logprob };
    tokens.push(token);
    logprobs.push(logprob);
    if (prompt.length + tokens.length >= contextLength) return { tokens, logprobs };
  }
}

type Drawer = (logits: Float32Array, temperature: number) => number;

function tokenDrawer(seed: number, window: number): Drawer {
  let drawn = 0;
  return (logits, temperature) => {
    if (temperature === 0) return likeliest(logits);
    const key = (seed + window) * DRAWS_PER_WINDOW + drawn++;
    const scaled = Float32Array.from(logits, (logit) => logit / temperature);
    using token = scope(() => categorical(tensor(scaled), randomKey(key)));
    return token.item();
  };
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if (logits[token]! > logits[best]!) best = token;
  return best;
}
