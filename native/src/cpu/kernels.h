// Inner loops over plain memory, compiled once for any processor and once for each instruction set worth having. Sources of
// an instruction set include nothing that could leave its instructions in shared inline functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deskhand::cpu {

struct Kernels {
  // y = x Φ(x), with the tanh approximation and with the error function
  void (*gelu_tanh)(const float* x, float* y, size_t n);
  void (*gelu)(const float* x, float* y, size_t n);
  // y = a / (1 + exp(-a)) · b
  void (*silu_multiply)(const float* a, const float* b, float* y, size_t n);
  // x[i] = exp(scale · x[i]) / Σ exp(scale · x[j]) over a row
  void (*softmax)(float* x, size_t n, float scale);

  // One step of the gated delta rule on `rows` rows of a state of n columns: s ← decay · s, then s[i] ← s[i] + beta (v[i] − s[i] · k) k,
  // y[i] = s[i] · q.
  void (*gated_delta_step)(float* s, size_t rows, size_t n, const float* q, const float* k, const float* v, float decay, float beta, float* y);

  // y[i] = w[i] · x for `rows` rows of k weights, read as they are stored
  void (*rows_f32)(const float* w, size_t rows, size_t k, const float* x, float* y);
  void (*rows_bf16)(const uint16_t* w, size_t rows, size_t k, const float* x, float* y);
  void (*rows_f16)(const uint16_t* w, size_t rows, size_t k, const float* x, float* y);
  void (*widen_bf16)(const uint16_t* from, float* to, size_t n);
  void (*widen_f16)(const uint16_t* from, float* to, size_t n);

  // The same for MLX's affine quantisation: w = scale · q + bias in groups along the row. For 4 bits x stands split, even elements
  // then odd ones, because a byte holds one of each. sums[g] is the sum of x over group g.
  void (*rows_q4)(const uint8_t* w, const float* scales, const float* biases, size_t rows, size_t k, size_t group, const float* x, const float* sums, float* y);
  void (*rows_q8)(const uint8_t* w, const float* scales, const float* biases, size_t rows, size_t k, size_t group, const float* x, const float* sums, float* y);
  void (*widen_q4)(const uint8_t* w, const float* scales, const float* biases, size_t k, size_t group, float* to);
  void (*widen_q8)(const uint8_t* w, const float* scales, const float* biases, size_t k, size_t group, float* to);
};

// The best set that this processor runs.
const Kernels& kernels();

} // namespace deskhand::cpu
