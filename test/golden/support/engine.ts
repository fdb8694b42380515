import { mediaOf, readMedia } from "../../../src/engine/media.js";
import { concatenate, expandDims, scope, slice, take, tensor, zeros, type Tensor } from "../../../src/engine/mlx/index.js";
import type { Architecture, Prompt } from "../../../src/engine/models/architecture.js";
import { loadArchitecture, type LoadedArchitecture } from "../../../src/engine/models/registry.js";
import { ChatTemplate } from "../../../src/engine/tokenizer/chat-template.js";
import { Tokenizer } from "../../../src/engine/tokenizer/tokenizer.js";
import type { GoldenCase } from "./golden.js";

/** A model in its parts, so that each can be held against the reference. */
export interface Engine extends LoadedArchitecture {
  tokenizer: Tokenizer;
  template: ChatTemplate;
}

/** With float32 activations, matrices are used as they are stored, as on the CPU by default. */
export async function loadEngine(dir: string, dtype: "float32" | "bfloat16" = "float32"): Promise<Engine> {
  const tokenizer = await Tokenizer.load(dir);
  const template = await ChatTemplate.load(dir, tokenizer.namedTokens);
  if (template === undefined) throw new Error(`no chat template in ${dir}`);
  return { ...(await loadArchitecture(dir, { dtype, storedMatrices: dtype === "float32" })), tokenizer, template };
}

export async function promptOf({ tokenizer, template, processor }: Engine, { messages }: GoldenCase): Promise<Prompt> {
  const text = template.render(messages, { pictureMark: processor?.pictureMark });
  const encode = (part: string): number[] => tokenizer.encode(part, { addSpecialTokens: processor?.addsSpecialTokens ?? false });
  if (processor === undefined) return { tokenIds: encode(text), media: [] };
  return processor.prepare({ ...(await readMedia(mediaOf(messages), { video: processor.video })), text, encode });
}

/** Logits of the whole prompt in one pass without a cache, at `rows`: `[1, rows, V]`. */
export function logitsOf(model: Architecture, prompt: Prompt, rows: Int32Array<ArrayBuffer>): Tensor {
  const { tokenIds, media } = prompt;
  return scope(() => {
    let embeddings = model.embed(tensor(Int32Array.from(tokenIds), [1, tokenIds.length]));
    const deepstack: Tensor[] = [];
    const put = (base: Tensor, row: number, features: Tensor, index: number): Tensor => concatenate([slice(base, 1, 0, row), expandDims(slice(features, 0, index, index + 1), 0), slice(base, 1, row + 1)], 1);
    for (const { start, end, item } of media) {
      const features = model.encode!(item);
      let index = 0;
      for (let row = start; row < end; row++) {
        if (!model.mediaTokenIds.includes(tokenIds[row]!)) continue;
        embeddings = put(embeddings, row, features.embeddings, index);
        features.deepstack?.forEach((level, i) => (deepstack[i] = put(deepstack[i] ?? zeros(embeddings.shape, embeddings.dtype), row, level, index)));
        index++;
      }
    }
    const hidden = model.decode({ ...model.plan(prompt).rows(0, tokenIds.length), embeddings, deepstack });
    return model.logits(take(hidden, tensor(rows), 1));
  });
}
