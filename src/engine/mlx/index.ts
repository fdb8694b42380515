/** The typed face of the addon: the only door between TypeScript and MLX. */
export * from "./eval.js";
export * from "./fast.js";
export * from "./ops.js";
export * from "./quantized.js";
export * from "./random.js";
export { openSafetensors, type SafetensorsFile } from "./safetensors.js";
export { type TensorEntry } from "./safetensors-header.js";
export { headOf, SafetensorsWriter, type TensorHead } from "./safetensors-writer.js";
export { openSealed, type SealedSafetensors } from "./sealed-safetensors.js";
export { disposeAll, isFloating, liveTensors, retain, scope, Tensor, untracked, type DType } from "./tensor.js";
