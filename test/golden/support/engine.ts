import { layOutImages, type Prompt } from "../../../src/engine/generate/prompt.js";
import { decodeImage } from "../../../src/engine/image/decode.js";
import { readImageSource } from "../../../src/engine/image/source.js";
import { concatenate, expandDims, scope, slice, take, tensor, zeros, type Tensor } from "../../../src/engine/mlx/index.js";
import type { Architecture, ProcessedImage } from "../../../src/engine/models/architecture.js";
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

export async function processedImages({ imageProcessor }: Engine, { messages }: GoldenCase): Promise<ProcessedImage[]> {
  const images: ProcessedImage[] = [];
  for (const { content } of messages) {
    for (const part of typeof content === "string" ? [] : content) {
      if (part.type === "image" && imageProcessor !== undefined) images.push(imageProcessor.process(await decodeImage(await readImageSource(part.image))));
    }
  }
  return images;
}

export async function promptOf(engine: Engine, golden: GoldenCase): Promise<Prompt> {
  const images = await processedImages(engine, golden);
  const ids = engine.tokenizer.encode(engine.template.render(golden.messages));
  return layOutImages(ids, images.map((image, i) => ({ image, key: String(i) })), engine.architecture.imageTokenId);
}

/** Logits of the whole prompt in one pass without a cache, at `rows`: `[rows, V]`. */
export function logitsOf(model: Architecture, { tokenIds, images }: Prompt, rows: Int32Array<ArrayBuffer>): Tensor {
  return scope(() => {
    const features = images.map(({ start, image }) => ({ start, end: start + image.mergedTokens, of: model.encodeImage!(image) }));
    const ids = tensor(Int32Array.from(tokenIds), [1, tokenIds.length]);
    let embeddings = model.embed(ids);
    const put = (base: Tensor, start: number, end: number, rows: Tensor): Tensor => concatenate([slice(base, 1, 0, start), expandDims(rows, 0), slice(base, 1, end)], 1);
    const deepstack = features[0]?.of.deepstack.map(() => zeros(embeddings.shape, embeddings.dtype)) ?? [];
    for (const { start, end, of } of features) {
      embeddings = put(embeddings, start, end, of.embeddings);
      of.deepstack.forEach((level, i) => (deepstack[i] = put(deepstack[i]!, start, end, level)));
    }
    const rotary = model.positions(tokenIds.length, images).rotary(0, tokenIds.length);
    const hidden = model.decode({ embeddings, rotary, deepstack });
    return model.logits(take(hidden, tensor(rows), 1));
  });
}
