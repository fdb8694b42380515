/** Running the graph, and what it costs (mlx/transforms.h, memory.h, device.h). */
import { native } from "./native.js";
import { Tensor } from "./tensor.js";

/** Computes now, blocking this thread. */
export function evaluate(...tensors: Tensor[]): void {
  native.eval(tensors.map((tensor) => tensor.handle));
}

/** Starts computing; building the next graph may go on meanwhile. */
export function asyncEval(...tensors: Tensor[]): void {
  native.asyncEval(tensors.map((tensor) => tensor.handle));
}

/** Starts computing and settles when the values are there; the waiting happens on another thread. */
export async function evaluated(...tensors: Tensor[]): Promise<void> {
  asyncEval(...tensors);
  for (const tensor of tensors) await native.wait(tensor.handle);
}

/** Settles when a tensor given to `asyncEval` has its value. */
export function waitFor(tensor: Tensor): Promise<void> {
  return native.wait(tensor.handle);
}

export interface MemoryUse {
  /** Bytes in live buffers. */
  activeBytes: number;
  /** The most `activeBytes` has been. */
  peakBytes: number;
  /** Bytes kept for reuse. */
  cacheBytes: number;
}

export function memoryUse(): MemoryUse {
  return { activeBytes: native.activeMemory(), peakBytes: native.peakMemory(), cacheBytes: native.cacheMemory() };
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
