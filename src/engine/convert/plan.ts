import { astype, isFloating, quantize, scope, type DType, type Quantization, type Tensor } from "../mlx/index.js";
import { importantLayers, RECIPES, type RecipeName } from "./recipes.js";
import type { MlxLayout } from "./layouts.js";
import type { Source } from "./sources.js";

/** Parts of MLX's names that belong to pictures and sounds: by default they stay as they are, as in mlx-vlm. */
const TOWERS = /vision|aligner|vl_connector|audio|img_projector|multi_modal_projector|patch_merge/;

export interface PlanOptions {
  quantization: Quantization | undefined;
  mixed?: RecipeName;
  quantizeTowers?: boolean;
  /** What the family's layout says of its layers. */
  layout?: Pick<MlxLayout, "precise" | "plain" | "favoursEmbeddings">;
}

/** What mlx-lm gives a router. */
const PRECISE: Quantization = { bits: 8, groupSize: 64, mode: "affine" };

/** How one weight is written. */
export interface Step {
  source: Source;
  /** Absent: plain. */
  quantization?: Quantization;
}

/** What config.json says of a layer that differs from the rest; `false`: not quantised. */
export type LayerOverrides = Record<string, false | { group_size: number; bits: number; mode: string }>;

/** Decides for every weight how it is written. Layers whose inputs the groups do not divide stay plain. */
export function planSteps(sources: readonly Source[], { quantization, mixed, quantizeTowers = false, layout = {} }: PlanOptions): { steps: Step[]; overrides: LayerOverrides } {
  if (quantization === undefined) return { steps: sources.map((source) => ({ source })), overrides: {} };
  const { precise, plain, favoursEmbeddings } = layout;
  const staysPlain = (layer: string): boolean => (!quantizeTowers && TOWERS.test(layer)) || (mixed === undefined && plain?.test(layer) === true);
  const candidates = sources.flatMap(({ layer }) => (layer !== undefined && !staysPlain(layer) ? [layer] : []));
  const chosen = new Set(candidates);
  const isImportant = mixed === undefined ? () => false : importantLayers(candidates.filter((layer) => !TOWERS.test(layer)), { embeddings: favoursEmbeddings });
  const overrides: LayerOverrides = {};
  const steps = sources.map((source): Step => {
    const { layer } = source;
    if (layer === undefined || !chosen.has(layer)) return { source };
    const own = mixed !== undefined ? { ...quantization, bits: RECIPES[mixed][isImportant(layer) ? "high" : "low"] } : precise?.test(layer) ? PRECISE : quantization;
    const inputs = inputsOf(source);
    if (inputs % quantization.groupSize !== 0 || inputs % own.groupSize !== 0) {
      overrides[layer] = false;
      return { source };
    }
    if (own.bits !== quantization.bits || own.groupSize !== quantization.groupSize || own.mode !== quantization.mode) overrides[layer] = { group_size: own.groupSize, bits: own.bits, mode: own.mode };
    return { source, quantization: own };
  });
  return { steps, overrides };
}

/** A step's tensors by name, as a graph: they belong to the scope this is called in. */
export function tensorsOf({ source: { name, layer, fixedType, read }, quantization }: Step, dtype: DType | undefined): Record<string, Tensor> {
  const stored = read();
  const tensor = dtype !== undefined && !fixedType && isFloating(stored.dtype) ? astype(stored, dtype) : stored;
  if (quantization === undefined || layer === undefined) return { [name]: tensor };
  const { weight, scales, biases } = quantize(tensor, quantization);
  return { [`${layer}.weight`]: weight, [`${layer}.scales`]: scales, ...(biases && { [`${layer}.biases`]: biases }) };
}

function inputsOf({ read }: Source): number {
  return scope(() => read().dim(-1));
}
