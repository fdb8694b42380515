import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { DeskhandError, messageOf } from "../../core/errors.js";

/** A tensor's number in the addon's table; -1 once disposed. */
export type Handle = number;
export type DType =
  | "bool"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64";

/** A file mapped into memory (opaque). */
export type Mapping = { readonly __mapping: unique symbol };

type Unary = (x: Handle) => Handle;
type Binary = (a: Handle, b: Handle) => Handle;
type Reduction = (x: Handle, axes: number[], keepDims: boolean) => Handle;

/** The addon's functions, as native/src registers them. */
export interface Native extends Record<UnaryName, Unary>, Record<BinaryName, Binary>, Record<ReductionName, Reduction> {
  readonly mlxVersion: string;
  dispose(handles: Handle[]): void;
  shape(x: Handle): number[];
  dtype(x: Handle): DType;
  nbytes(x: Handle): number;
  read(x: Handle): ArrayBuffer;
  liveTensors(): number;
  alias: Unary;
  scalar(value: number, dtype: DType): Handle;
  fromBuffer(buffer: ArrayBuffer, byteOffset: number, shape: number[], dtype: DType): Handle;

  where(condition: Handle, a: Handle, b: Handle): Handle;
  astype(x: Handle, dtype: DType): Handle;
  zeros(shape: number[], dtype: DType): Handle;
  full(shape: number[], value: number, dtype: DType): Handle;
  arange(start: number, stop: number, step: number, dtype: DType): Handle;
  reshape(x: Handle, shape: number[]): Handle;
  transpose(x: Handle, axes: number[]): Handle;
  swapAxes(x: Handle, a: number, b: number): Handle;
  expandDims(x: Handle, axis: number): Handle;
  squeeze(x: Handle, axis: number): Handle;
  broadcastTo(x: Handle, shape: number[]): Handle;
  slice(x: Handle, start: number[], stop: number[], strides: number[]): Handle;
  sliceUpdate(x: Handle, update: Handle, start: number[], stop: number[]): Handle;
  concatenate(xs: Handle[], axis: number): Handle;
  stack(xs: Handle[], axis: number): Handle;
  split(x: Handle, indices: number[], axis: number): Handle[];
  repeat(x: Handle, repeats: number, axis: number): Handle;
  take(x: Handle, indices: Handle, axis: number): Handle;
  takeAlongAxis(x: Handle, indices: Handle, axis: number): Handle;
  putAlongAxis(x: Handle, indices: Handle, values: Handle, axis: number): Handle;
  argmax(x: Handle, axis: number, keepDims: boolean): Handle;
  argsort(x: Handle, axis: number): Handle;
  argpartition(x: Handle, kth: number, axis: number): Handle;
  cumsum(x: Handle, axis: number): Handle;
  softmax(x: Handle, axes: number[], precise: boolean): Handle;
  addmm(c: Handle, a: Handle, b: Handle): Handle;

  rmsNorm(x: Handle, weight: Handle | null, eps: number): Handle;
  layerNorm(x: Handle, weight: Handle | null, bias: Handle | null, eps: number): Handle;
  rope(x: Handle, dims: number, base: number, offset: number, periods: Handle | null): Handle;
  gelu: Unary;
  geluTanh: Unary;
  siluMultiply: Binary;
  scaledDotProductAttention(q: Handle, k: Handle, v: Handle, scale: number, maskMode: string, mask: Handle | null): Handle;

  linear(x: Handle, w: Handle, bias: Handle | null): Handle;
  gatherLinear(x: Handle, w: Handle, indices: Handle, sorted: boolean): Handle;
  gatedDelta(q: Handle, k: Handle, v: Handle, decay: Handle, beta: Handle, state: Handle): Handle[];
  quantizedLinear(x: Handle, w: Handle, scales: Handle, biases: Handle | null, bias: Handle | null, groupSize: number, bits: number, mode: string): Handle;
  gatherQuantizedLinear(x: Handle, w: Handle, scales: Handle, biases: Handle | null, indices: Handle, sorted: boolean, groupSize: number, bits: number, mode: string): Handle;
  quantize(w: Handle, groupSize: number, bits: number, mode: string): Handle[];
  dequantize(w: Handle, scales: Handle, biases: Handle | null, groupSize: number, bits: number, mode: string): Handle;

  randomKey(seed: number): Handle;
  randomSplit(key: Handle, count: number): Handle;
  categorical(logits: Handle, axis: number, key: Handle): Handle;
  randomNormal(shape: number[], dtype: DType, key: Handle): Handle;

  mapFile(path: string): Mapping;
  closeMapping(mapping: Mapping): void;
  fromMapping(mapping: Mapping, offset: number, shape: number[], dtype: DType): Handle;

  eval(handles: Handle[]): void;
  asyncEval(handles: Handle[]): Handle;
  wait(fence: Handle): Promise<void>;
  activeMemory(): number;
  peakMemory(): number;
  cacheMemory(): number;
  externalMemory(): number;
  clearCache(): void;
  gpuAvailable(): boolean;
  setDefaultDevice(device: "cpu" | "gpu"): void;
}

type UnaryName = "negative" | "exp" | "log" | "sqrt" | "rsqrt" | "square" | "sin" | "cos" | "tanh" | "erf" | "sigmoid" | "abs" | "logicalNot" | "contiguous";
type BinaryName =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "power"
  | "maximum"
  | "minimum"
  | "logaddexp"
  | "equal"
  | "less"
  | "lessEqual"
  | "greater"
  | "greaterEqual"
  | "logicalAnd"
  | "logicalOr"
  | "matmul";
type ReductionName = "sum" | "mean" | "max" | "min" | "logsumexp";

/** Where setup puts the addon, from src/engine/mlx and from dist/engine/mlx alike. */
const ADDON = fileURLToPath(new URL("../../../build/native/deskhand.node", import.meta.url));

function loadAddon(): Native {
  if (!existsSync(ADDON)) {
    throw new DeskhandError("native_addon_missing", `Expected the native addon at ${ADDON} but it is not there. Run "npm run setup" to build it.`);
  }
  try {
    return createRequire(import.meta.url)(ADDON) as Native;
  } catch (cause) {
    throw new DeskhandError("native_addon_missing", `The native addon does not load: ${messageOf(cause)}. Run "npm run setup" to build it again.`, { cause });
  }
}

export const native: Native = loadAddon();
