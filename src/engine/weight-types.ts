import type { Device, DType } from "./mlx/index.js";
import type { WeightsOptions } from "./nn/weights.js";

/**
 * How weights are read where the caller does not say: on the CPU float32 is the fast type for activations, and our products read
 * half-precision matrices as they lie in the file.
 */
export function weightTypes(device: Device, dtype: DType | undefined): Pick<WeightsOptions, "dtype" | "storedMatrices"> {
  return dtype === undefined && device === "cpu" ? { dtype: "float32", storedMatrices: true } : { dtype };
}
