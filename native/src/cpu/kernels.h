// Inner loops over float32 memory, compiled once for any processor and once for each instruction set worth having. Sources of
// an instruction set include nothing that could leave its instructions in shared inline functions.
#pragma once

#include <cstddef>

namespace deskhand::cpu {

struct Kernels {
  // y = x Φ(x), with the tanh approximation and with the error function
  void (*gelu_tanh)(const float* x, float* y, size_t n);
  void (*gelu)(const float* x, float* y, size_t n);
  // y = a / (1 + exp(-a)) · b
  void (*silu_multiply)(const float* a, const float* b, float* y, size_t n);
  // x[i] = exp(scale · x[i]) / Σ exp(scale · x[j]) over a row
  void (*softmax)(float* x, size_t n, float scale);
};

// The best set that this processor runs.
const Kernels& kernels();

} // namespace deskhand::cpu
