import { join } from "node:path";
import { throwIfAborted } from "../../core/errors.js";
import type { OnProgress } from "../../core/progress.js";
import { clearCache, disposeAll, headOf, retain, SafetensorsWriter, scope, type DType, type TensorHead } from "../mlx/index.js";
import { writeIndex } from "./files.js";
import { tensorsOf, type Step } from "./plan.js";

/** 5 GB a file, as the hub's folders have it. */
const SHARD_BYTES = 5_000_000_000;

interface Shard {
  steps: Step[];
  heads: TensorHead[];
  nbytes: number;
}

export interface WriteOptions {
  dtype?: DType;
  shardBytes?: number;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/**
 * Writes all steps' weights into `dir`, in shards with an index. One step is in memory at a time; a shard is larger than
 * asked only when a single step is.
 */
export async function writeShards(dir: string, steps: readonly Step[], { dtype, shardBytes = SHARD_BYTES, onProgress, signal }: WriteOptions): Promise<void> {
  const shards = divide(steps, dtype, shardBytes);
  const weightMap: Record<string, string> = {};
  let done = 0;
  for (const [index, { steps: own, heads }] of shards.entries()) {
    const name = shards.length === 1 ? "model.safetensors" : `model-${number(index + 1)}-of-${number(shards.length)}.safetensors`;
    for (const head of heads) weightMap[head.name] = name;
    const writer = await SafetensorsWriter.create(join(dir, name), heads, { metadata: { format: "mlx" } });
    try {
      for (const step of own) {
        throwIfAborted(signal);
        await writeStep(writer, step, dtype);
        onProgress?.({ phase: "Converting weights", done: ++done, total: steps.length, unit: "tensors" });
      }
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    await writer.close();
  }
  await writeIndex(dir, shards.reduce((sum, { nbytes }) => sum + nbytes, 0), weightMap);
}

/** What each file will hold. The graphs tell types and shapes; nothing is computed yet. */
function divide(steps: readonly Step[], dtype: DType | undefined, shardBytes: number): Shard[] {
  const shards: Shard[] = [];
  for (const step of steps) {
    const heads = scope(() => ({ list: Object.entries(tensorsOf(step, dtype)).map(([name, tensor]) => headOf(name, tensor)) })).list;
    const nbytes = heads.reduce((sum, head) => sum + head.nbytes, 0);
    let shard = shards.at(-1);
    if (shard === undefined || (shard.nbytes + nbytes > shardBytes && shard.steps.length > 0)) shards.push((shard = { steps: [], heads: [], nbytes: 0 }));
    shard.steps.push(step);
    shard.heads.push(...heads);
    shard.nbytes += nbytes;
  }
  return shards;
}

async function writeStep(writer: SafetensorsWriter, step: Step, dtype: DType | undefined): Promise<void> {
  const tensors = scope(() => tensorsOf(step, dtype));
  for (const tensor of Object.values(tensors)) retain(tensor);
  try {
    for (const [name, tensor] of Object.entries(tensors)) await writer.write(name, tensor);
  } finally {
    disposeAll(Object.values(tensors));
    // Buffers kept for reuse would add up: the next weight seldom has the same size.
    clearCache();
  }
}

function number(value: number): string {
  return String(value).padStart(5, "0");
}
