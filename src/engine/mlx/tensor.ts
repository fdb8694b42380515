import { DeskhandError } from "../../core/errors.js";
import { native, type DType, type Handle } from "./native.js";

export type { DType };

const FLOATING: ReadonlySet<DType> = new Set<DType>(["float16", "bfloat16", "float32", "float64"]);

export function isFloating(dtype: DType): boolean {
  return FLOATING.has(dtype);
}

type TypedArray = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array;

/**
 * An MLX array. It lives until the `scope` it was made in ends, or until `dispose()`; garbage collection is only the safety
 * net for those made outside any scope, because it runs far too late for tensors.
 */
export class Tensor implements Disposable {
  /** For `engine/mlx` alone. */
  handle: Handle;
  #shape: readonly number[] | undefined;

  constructor(handle: Handle) {
    this.handle = handle;
    if (current === undefined) leaked.register(this, handle, this);
    else current.push(this);
  }

  get shape(): readonly number[] {
    return (this.#shape ??= native.shape(this.handle));
  }

  get ndim(): number {
    return this.shape.length;
  }

  get size(): number {
    return this.shape.reduce((product, dim) => product * dim, 1);
  }

  get dtype(): DType {
    return native.dtype(this.handle);
  }

  /** Bytes of the elements, whether or not they share a buffer with another tensor. */
  get nbytes(): number {
    return native.nbytes(this.handle);
  }

  /** The dimension at `axis`; negative counts from the end. */
  dim(axis: number): number {
    const dim = this.shape.at(axis);
    if (dim === undefined) throw new DeskhandError("internal", `Expected axis ${axis} in a tensor of shape [${this.shape.join(", ")}].`);
    return dim;
  }

  /** A second tensor on the same data, with a lifetime of its own. */
  alias(): Tensor {
    return new Tensor(native.alias(this.handle));
  }

  /** Evaluates and copies the elements out, row-major; float16 and bfloat16 arrive as float32. */
  toTypedArray(): TypedArray {
    const dtype = this.dtype;
    if (dtype === "float16" || dtype === "bfloat16") {
      using wide = untracked(() => new Tensor(native.astype(this.handle, "float32")));
      return new Float32Array(native.read(wide.handle));
    }
    return viewOf(native.read(this.handle), dtype);
  }

  /** The elements as numbers. */
  toArray(): number[] {
    return Array.from(this.toTypedArray(), Number);
  }

  /** The only element. */
  item(): number {
    const values = this.toTypedArray();
    if (values.length !== 1) throw new DeskhandError("internal", `Expected a tensor of one element but received shape [${this.shape.join(", ")}].`);
    return Number(values[0]);
  }

  get disposed(): boolean {
    return this.handle < 0;
  }

  dispose(): void {
    disposeAll([this]);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function viewOf(buffer: ArrayBuffer, dtype: DType): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer);
    case "float64":
      return new Float64Array(buffer);
    case "int8":
      return new Int8Array(buffer);
    case "int16":
      return new Int16Array(buffer);
    case "uint16":
      return new Uint16Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "int64":
      return new BigInt64Array(buffer);
    case "uint64":
      return new BigUint64Array(buffer);
    default:
      return new Uint8Array(buffer);
  }
}

const leaked = new FinalizationRegistry<Handle>((handle) => {
  native.dispose([handle]);
});

/** Tensors made in the innermost open scope. */
let current: Tensor[] | undefined;

/** Frees tensors at once; those already disposed are passed over. */
export function disposeAll(tensors: Iterable<Tensor>): void {
  const handles: Handle[] = [];
  for (const tensor of tensors) {
    if (tensor.handle < 0) continue;
    leaked.unregister(tensor);
    handles.push(tensor.handle);
    tensor.handle = -1;
  }
  if (handles.length > 0) native.dispose(handles);
}

/**
 * Runs `body` and frees every tensor made in it, except those in its result (itself, in arrays or in plain
 * objects): they go to the enclosing scope. Synchronous only,
 * since tensors made by other code while a promise is pending would land in the wrong scope.
 * @throws DeskhandError `internal` when `body` returns a promise.
 */
export function scope<T>(body: () => T): T {
  const outer = current;
  const made: Tensor[] = [];
  current = made;
  let result: T | undefined;
  try {
    result = body();
    if (result instanceof Promise) {
      throw new DeskhandError("internal", "scope() takes a synchronous function but received one that returns a promise. Await outside the scope.");
    }
    return result;
  } finally {
    current = outer;
    const kept = new Set<Tensor>();
    collect(result, kept);
    disposeAll(made.filter((tensor) => !kept.has(tensor)));
    for (const tensor of made) if (!tensor.disposed) adopt(tensor);
  }
}

/** Runs `body` outside any scope: what it makes lives until it is disposed, for long-lived owners such as caches and weights. */
export function untracked<T>(body: () => T): T {
  const outer = current;
  current = undefined;
  try {
    return body();
  } finally {
    current = outer;
  }
}

/** Takes a tensor out of the scope it was made in, for an owner that disposes it itself. */
export function retain<T extends Tensor>(tensor: T): T {
  const index = current?.lastIndexOf(tensor) ?? -1;
  if (index >= 0) {
    current?.splice(index, 1);
    leaked.register(tensor, tensor.handle, tensor);
  }
  return tensor;
}

function adopt(tensor: Tensor): void {
  if (current === undefined) leaked.register(tensor, tensor.handle, tensor);
  else current.push(tensor);
}

function collect(value: unknown, into: Set<Tensor>): void {
  if (value instanceof Tensor) into.add(value);
  else if (Array.isArray(value)) for (const item of value) collect(item, into);
  else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) collect(item, into);
  }
}

/** Tensors alive in this thread; tests hold it against a baseline. */
export function liveTensors(): number {
  return native.liveTensors();
}
