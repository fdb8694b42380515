import { add, erf, multiply, sigmoid, tanh, type Tensor } from "../mlx/index.js";

/** x · sigmoid(x) */
export function silu(x: Tensor): Tensor {
  return multiply(x, sigmoid(x));
}

/** x · Φ(x), with Φ by the error function. */
export function gelu(x: Tensor): Tensor {
  return multiply(multiply(x, 0.5), add(erf(multiply(x, Math.SQRT1_2)), 1));
}

/** The tanh approximation of `gelu` (Hendrycks & Gimpel 2016), `gelu_pytorch_tanh` in configs. */
export function geluTanh(x: Tensor): Tensor {
  const inner = multiply(multiply(x, add(multiply(multiply(x, x), 0.044715), 1)), Math.sqrt(2 / Math.PI));
  return multiply(multiply(x, 0.5), add(tanh(inner), 1));
}
