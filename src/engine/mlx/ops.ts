/** MLX's operations on tensors. They build the graph; nothing is computed before `eval`, `asyncEval` or a read. Shapes broadcast as in NumPy. */
import { native } from "./native.js";
import { Tensor, type DType } from "./tensor.js";

/** A tensor, or a number that takes the other operand's data type. */
export type Operand = Tensor | number;

function unary(f: (x: number) => number): (x: Tensor) => Tensor {
  return (x) => new Tensor(f(x.handle));
}

function binary(f: (a: number, b: number) => number): (a: Tensor, b: Operand) => Tensor {
  return (a, b) => {
    if (typeof b !== "number") return new Tensor(f(a.handle, b.handle));
    const scalar = native.scalar(b, native.dtype(a.handle));
    try {
      return new Tensor(f(a.handle, scalar));
    } finally {
      native.dispose([scalar]);
    }
  };
}

/** Over `axes` (default: all). */
function reduction(f: (x: number, axes: number[], keepDims: boolean) => number): (x: Tensor, axes?: number[], keepDims?: boolean) => Tensor {
  return (x, axes = x.shape.map((_, axis) => axis), keepDims = false) => new Tensor(f(x.handle, axes, keepDims));
}

export const negative = unary(native.negative);
export const exp = unary(native.exp);
export const log = unary(native.log);
export const sqrt = unary(native.sqrt);
export const rsqrt = unary(native.rsqrt);
export const square = unary(native.square);
export const sin = unary(native.sin);
export const cos = unary(native.cos);
export const tanh = unary(native.tanh);
export const erf = unary(native.erf);
export const sigmoid = unary(native.sigmoid);
export const abs = unary(native.abs);
export const logicalNot = unary(native.logicalNot);
/** The same values, laid out row-major. */
export const contiguous = unary(native.contiguous);

export const add = binary(native.add);
export const subtract = binary(native.subtract);
export const multiply = binary(native.multiply);
export const divide = binary(native.divide);
export const power = binary(native.power);
export const maximum = binary(native.maximum);
export const minimum = binary(native.minimum);
/** log(exp(a) + exp(b)); with 0 for `b` the softplus. */
export const logaddexp = binary(native.logaddexp);
export const equal = binary(native.equal);
export const less = binary(native.less);
export const lessEqual = binary(native.lessEqual);
export const greater = binary(native.greater);
export const greaterEqual = binary(native.greaterEqual);
export const logicalAnd = binary(native.logicalAnd);
export const logicalOr = binary(native.logicalOr);

export const sum = reduction(native.sum);
export const mean = reduction(native.mean);
export const max = reduction(native.max);
export const min = reduction(native.min);
export const logsumexp = reduction(native.logsumexp);

export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  return new Tensor(native.where(condition.handle, a.handle, b.handle));
}

export function astype(x: Tensor, dtype: DType): Tensor {
  return new Tensor(native.astype(x.handle, dtype));
}

export function zeros(shape: readonly number[], dtype: DType = "float32"): Tensor {
  return new Tensor(native.zeros([...shape], dtype));
}

export function full(shape: readonly number[], value: number, dtype: DType = "float32"): Tensor {
  return new Tensor(native.full([...shape], value, dtype));
}

export function arange(start: number, stop: number, step = 1, dtype: DType = "int32"): Tensor {
  return new Tensor(native.arange(start, stop, step, dtype));
}

const DTYPE_OF = new Map<unknown, DType>([
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [Int8Array, "int8"],
  [Uint8Array, "uint8"],
  [Int16Array, "int16"],
  [Uint16Array, "uint16"],
  [Int32Array, "int32"],
  [Uint32Array, "uint32"],
]);

type Elements = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Int8Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Int16Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/**
 * A tensor on a typed array's memory, in place where MLX can use it (unified memory) and copied elsewhere: do not write to the
 * array afterwards. A plain array of numbers becomes `dtype` (default float32).
 */
export function tensor(values: Elements | readonly number[], shape: readonly number[] = [values.length], dtype?: DType): Tensor {
  const elements = Array.isArray(values) ? pack(values as readonly number[], dtype ?? "float32") : (values as Elements);
  const type = DTYPE_OF.get(elements.constructor) ?? "uint8";
  const made = new Tensor(native.fromBuffer(elements.buffer, elements.byteOffset, [...shape], type));
  if (dtype === undefined || dtype === type) return made;
  try {
    return astype(made, dtype);
  } finally {
    made.dispose();
  }
}

function pack(values: readonly number[], dtype: DType): Elements {
  switch (dtype) {
    case "int32":
      return Int32Array.from(values);
    case "uint32":
      return Uint32Array.from(values);
    case "uint8":
    case "bool":
      return Uint8Array.from(values);
    default:
      return Float32Array.from(values);
  }
}

/** One dimension may be -1. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return new Tensor(native.reshape(x.handle, [...shape]));
}

export function transpose(x: Tensor, axes: readonly number[]): Tensor {
  return new Tensor(native.transpose(x.handle, [...axes]));
}

export function swapAxes(x: Tensor, a: number, b: number): Tensor {
  return new Tensor(native.swapAxes(x.handle, a, b));
}

export function expandDims(x: Tensor, axis: number): Tensor {
  return new Tensor(native.expandDims(x.handle, axis));
}

export function squeeze(x: Tensor, axis: number): Tensor {
  return new Tensor(native.squeeze(x.handle, axis));
}

export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  return new Tensor(native.broadcastTo(x.handle, [...shape]));
}

/** `x[..., start:stop, ...]` along one axis; negative `start`, `stop` and `axis` count from the end. */
export function slice(x: Tensor, axis: number, start: number, stop?: number, step = 1): Tensor {
  const shape = x.shape;
  const along = axis < 0 ? axis + shape.length : axis;
  const dim = x.dim(along);
  const from = start < 0 ? start + dim : start;
  const to = stop === undefined ? dim : stop < 0 ? stop + dim : stop;
  return new Tensor(
    native.slice(
      x.handle,
      shape.map((_, i) => (i === along ? from : 0)),
      shape.map((size, i) => (i === along ? to : size)),
      shape.map((_, i) => (i === along ? step : 1)),
    ),
  );
}

/** `x` with `update` written at `start` (one index a dimension). Reuses `x`'s buffer when nothing else holds it. */
export function sliceUpdate(x: Tensor, update: Tensor, start: readonly number[]): Tensor {
  return new Tensor(
    native.sliceUpdate(
      x.handle,
      update.handle,
      [...start],
      start.map((from, i) => from + update.dim(i)),
    ),
  );
}

export function concatenate(xs: readonly Tensor[], axis: number): Tensor {
  return new Tensor(native.concatenate(xs.map((x) => x.handle), axis));
}

export function stack(xs: readonly Tensor[], axis: number): Tensor {
  return new Tensor(native.stack(xs.map((x) => x.handle), axis));
}

/** The pieces between `indices` along `axis`. */
export function split(x: Tensor, indices: readonly number[], axis: number): Tensor[] {
  return native.split(x.handle, [...indices], axis).map((handle) => new Tensor(handle));
}

export function repeat(x: Tensor, repeats: number, axis: number): Tensor {
  return new Tensor(native.repeat(x.handle, repeats, axis));
}

export function take(x: Tensor, indices: Tensor, axis: number): Tensor {
  return new Tensor(native.take(x.handle, indices.handle, axis));
}

export function takeAlongAxis(x: Tensor, indices: Tensor, axis: number): Tensor {
  return new Tensor(native.takeAlongAxis(x.handle, indices.handle, axis));
}

export function putAlongAxis(x: Tensor, indices: Tensor, values: Tensor, axis: number): Tensor {
  return new Tensor(native.putAlongAxis(x.handle, indices.handle, values.handle, axis));
}

export function argmax(x: Tensor, axis: number, keepDims = false): Tensor {
  return new Tensor(native.argmax(x.handle, axis, keepDims));
}

export function argsort(x: Tensor, axis: number): Tensor {
  return new Tensor(native.argsort(x.handle, axis));
}

/** Indices with the `kth` smallest at its sorted place, smaller ones before it. */
export function argpartition(x: Tensor, kth: number, axis: number): Tensor {
  return new Tensor(native.argpartition(x.handle, kth, axis));
}

/** Inclusive running sum. */
export function cumsum(x: Tensor, axis: number): Tensor {
  return new Tensor(native.cumsum(x.handle, axis));
}

/** `precise` accumulates in float32. */
export function softmax(x: Tensor, axis: number, precise = false): Tensor {
  return new Tensor(native.softmax(x.handle, [axis], precise));
}

export function matmul(a: Tensor, b: Tensor): Tensor {
  return new Tensor(native.matmul(a.handle, b.handle));
}

/** `c + a @ b` */
export function addmm(c: Tensor, a: Tensor, b: Tensor): Tensor {
  return new Tensor(native.addmm(c.handle, a.handle, b.handle));
}
