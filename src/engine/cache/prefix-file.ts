import { z } from "zod";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import { concatenate, contiguous, disposeAll, headOf, openSealed, SafetensorsWriter, scope, slice, type Tensor } from "../mlx/index.js";
import { PRIVATE_FILE } from "./cache-folder.js";
import type { KeyValueRows } from "./kv-cache.js";
import type { LayerState } from "./layer-cache.js";
import type { Snapshot } from "./session.js";

/** To be changed with whatever a file consists of. */
const FORMAT = "deskhand prefix 1";

/** A row that prompts may part from a stretch at, and the digest of the beginning that ends there. */
type Border = [row: number, digest: string];

const row = z.number().int().nonnegative();

/** Of a stretch of a sequence's rows, what is known without its tensors. */
const StretchInfo = z.object({
  start: row,
  /** Digest of what comes before; empty at a sequence's first row. */
  before: z.string(),
  /** In ascending order; the last is the stretch's end. */
  borders: z.array(z.tuple([row, z.string()])).min(1),
  /** What layers that cannot go back knew besides tensors, layer by layer, at the borders that they were kept at. */
  states: z.array(z.object({ row, counters: z.array(z.array(z.number().int()).nullable()) })),
});
export type StretchInfo = z.output<typeof StretchInfo>;

const Metadata = z.object({ format: z.literal(FORMAT), model: z.string(), stretch: z.string() });

/** A stretch of rows to be written. */
export interface Stretch {
  start: number;
  before: string;
  borders: Border[];
  /** All rows from the sequence's first on, layer by layer, in pieces; `undefined` for layers that cannot go back. */
  layers: readonly (readonly KeyValueRows[] | undefined)[];
  /** Of those layers, at borders. */
  snapshots: readonly Snapshot[];
}

/** What it takes on the disk, but for the header. */
export function sizeOf({ start, borders, layers, snapshots }: Stretch): number {
  const perRow = layers.flatMap(([first] = []) => (first === undefined ? [] : [first.keys, first.values])).reduce((sum, x) => sum + x.nbytes / x.dim(2), 0);
  const states = snapshots.flatMap(({ caches }) => caches.flatMap((cache) => cache?.tensors() ?? []));
  return perRow * (borders.at(-1)![0] - start) + states.reduce((sum, { nbytes }) => sum + nbytes, 0);
}

/** Writes a stretch. The model is told by its fingerprint; what `check` throws ends it. */
export async function writeStretch(path: string, model: string, stretch: Stretch, check: () => void): Promise<void> {
  const { start, before, borders, layers, snapshots } = stretch;
  const end = borders.at(-1)![0];
  const named = new Map<string, () => Tensor>();
  layers.forEach((pieces, layer) => {
    const joined = (of: "keys" | "values"): Tensor => contiguous(slice(concatenate(pieces!.map((rows) => rows[of]), 2), 2, start, end));
    if (pieces !== undefined) for (const of of ["keys", "values"] as const) named.set(rowsName(layer, of), () => joined(of));
  });
  const states: StretchInfo["states"] = snapshots.map(({ length, caches }) => ({
    row: length,
    counters: caches.map((cache, layer) => {
      const state = cache?.save();
      state?.tensors.forEach((tensor, i) => named.set(stateName(length, layer, i), () => tensor.alias()));
      return state?.counters ?? null;
    }),
  }));
  const heads = [...named].map(([name, make]) => headNow(name, make));
  const info: StretchInfo = { start, before, borders, states };
  const writer = await SafetensorsWriter.create(path, heads, { metadata: { format: FORMAT, model, stretch: JSON.stringify(info) }, isSealed: true, mode: PRIVATE_FILE });
  try {
    // One at a time is put together, so that what is written takes little memory beside what is there.
    for (const [name, make] of named) {
      check();
      using tensor = scope(make);
      await writer.write(name, tensor);
    }
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  await writer.close();
}

function headNow(name: string, make: () => Tensor): ReturnType<typeof headOf> {
  using tensor = scope(make);
  return headOf(name, tensor);
}

/** What a file holds. @throws DeskhandError `invalid_model` when it is damaged, of another format or of another model. */
export async function readStretchInfo(path: string, model: string): Promise<StretchInfo> {
  await using file = await openSealed(path);
  return infoOf(file.metadata, path, model);
}

/**
 * The tensors of a stretch, checked: rows of the layers that keep them all, and what the others remembered at `stateRow`, if asked for.
 * @throws DeskhandError as `readStretchInfo`, `cancelled`; nothing is left behind then.
 */
export async function readStretch(path: string, model: string, { isState, stateRow, signal }: { isState: readonly boolean[]; stateRow?: number; signal?: AbortSignal }): Promise<{ rows: (KeyValueRows | undefined)[]; states: (LayerState | undefined)[] }> {
  const made: Tensor[] = [];
  await using file = await openSealed(path);
  try {
    const { start, borders, states } = infoOf(file.metadata, path, model);
    const read = async (name: string): Promise<Tensor> => {
      throwIfAborted(signal);
      const tensor = await file.read(name);
      made.push(tensor);
      return tensor;
    };
    const count = borders.at(-1)![0] - start;
    const rows: (KeyValueRows | undefined)[] = [];
    const counters = stateRow === undefined ? undefined : states.find((state) => state.row === stateRow)?.counters;
    const layerStates: (LayerState | undefined)[] = [];
    for (const [layer, isOne] of isState.entries()) {
      if (!isOne) {
        const [keys, values] = [await read(rowsName(layer, "keys")), await read(rowsName(layer, "values"))];
        if (keys.ndim !== 4 || values.ndim !== 4 || keys.dim(2) !== count || values.dim(2) !== count) throw invalid(path, `expected ${count} rows of layer ${layer} but it has [${keys.shape.join(", ")}] and [${values.shape.join(", ")}]`);
        rows[layer] = { keys, values };
      } else if (stateRow !== undefined) {
        const told = counters?.[layer];
        if (!told) throw invalid(path, `expected the state of layer ${layer} at row ${stateRow}`);
        layerStates[layer] = { tensors: [await read(stateName(stateRow, layer, 0)), await read(stateName(stateRow, layer, 1))], counters: told };
      }
    }
    return { rows: isState.map((_, layer) => rows[layer]), states: isState.map((_, layer) => layerStates[layer]) };
  } catch (error) {
    disposeAll(made);
    throw error;
  }
}

function infoOf(metadata: unknown, path: string, model: string): StretchInfo {
  const parsed = Metadata.safeParse(metadata);
  if (!parsed.success) throw invalid(path, `expected the format "${FORMAT}"`);
  if (parsed.data.model !== model) throw invalid(path, "it is of another model");
  const info = StretchInfo.safeParse(JSON.parse(parsed.data.stretch));
  if (!info.success || info.data.borders.some(([end], i, all) => end <= (all[i - 1]?.[0] ?? info.data.start))) throw invalid(path, "expected borders in ascending order");
  return info.data;
}

function rowsName(layer: number, of: "keys" | "values"): string {
  return `rows.${layer}.${of}`;
}

function stateName(at: number, layer: number, index: number): string {
  return `state.${at}.${layer}.${index}`;
}

function invalid(path: string, what: string): DeskhandError {
  return new DeskhandError("invalid_model", `${path} is no file of this prefix cache: ${what}.`);
}
