/** Running the graph, and what it costs (mlx/transforms.h, memory.h, device.h). */
import { native } from "./native.js";
import { Tensor } from "./tensor.js";

/** Computes now, blocking this thread. */
export function evaluate(...tensors: Tensor[]): void {
  native.eval(tensors.map((tensor) => tensor.handle));
}

/** Stands for tensors being computed; dispose it like a tensor. */
export type Fence = Tensor;

/** Starts computing and returns at once; building the next graph may go on meanwhile. */
export function asyncEval(...tensors: Tensor[]): Fence {
  return new Tensor(native.asyncEval(tensors.map((tensor) => tensor.handle)));
}

/** Settles when everything started with the fence is there; the waiting happens on another thread. */
export async function waitFor(fence: Fence): Promise<void> {
  await native.wait(fence.handle);
}

/** Computes the tensors, waiting on another thread. */
export async function evaluated(...tensors: Tensor[]): Promise<void> {
  using fence = asyncEval(...tensors);
  await waitFor(fence);
}

export interface MemoryUse {
  /** Bytes in live buffers. */
  activeBytes: number;
  /** The most `activeBytes` has been. */
  peakBytes: number;
  /** Bytes kept for reuse. */
  cacheBytes: number;
  /** What V8 counts as held outside its heap by anyone, `activeBytes` included. */
  externalBytes: number;
}

export function memoryUse(): MemoryUse {
  return { activeBytes: native.activeMemory(), peakBytes: native.peakMemory(), cacheBytes: native.cacheMemory(), externalBytes: native.externalMemory() };
}

/** Gives buffers kept for reuse back to the system. */
export function clearCache(): void {
  native.clearCache();
}

export type Device = "cpu" | "gpu";

/** The GPU where MLX has one (Metal, CUDA), else the CPU. */
export function bestDevice(): Device {
  return native.gpuAvailable() ? "gpu" : "cpu";
}

export function setDefaultDevice(device: Device): void {
  native.setDefaultDevice(device);
}

export const mlxVersion: string = native.mlxVersion;
