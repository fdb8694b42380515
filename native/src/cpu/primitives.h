// Our own CPU primitives, for what MLX runs there in one scalar thread. Linux only: on macOS MLX has Accelerate and Metal.
#pragma once

#include <initializer_list>
#include <optional>

#include "mlx/mlx.h"
#include "mlx/primitives.h"

namespace deskhand::cpu {

namespace mx = mlx::core;

struct Primitives {
  mx::array (*gelu_tanh)(const mx::array& x);
  mx::array (*gelu)(const mx::array& x);
  // silu(a) · b for arrays of one shape
  mx::array (*silu_multiply)(const mx::array& a, const mx::array& b);
  // softmax(q kᵀ · scale) v for q [B, H, L, D], k and v [B, Hkv, S, D]; causal lets row i see keys up to S − L + i.
  mx::array (*attention)(const mx::array& q, const mx::array& k, const mx::array& v, float scale, bool causal);
  // x [..., in] times w [out, in] transposed, plus bias [out]. w may also be bfloat16 or float16.
  mx::array (*linear)(const mx::array& x, const mx::array& w, const std::optional<mx::array>& bias);
  // The same for affine quantised weights of 4 or 8 bits.
  mx::array (*quantized_linear)(const mx::array& x, const mx::array& w, const mx::array& scales, const mx::array& biases, const std::optional<mx::array>& bias, int group, int bits);
  // Row i of x [N, in] times the transposed matrix number indices[i] (uint32) of w [E, out, in]. w may also be bfloat16 or float16.
  mx::array (*gather_linear)(const mx::array& x, const mx::array& w, const mx::array& indices);
  mx::array (*gather_quantized_linear)(const mx::array& x, const mx::array& w, const mx::array& scales, const mx::array& biases, const mx::array& indices, int group, int bits);
  // The gated delta rule, as mx::fast::gated_delta_update: y [B, T, Hv, Dv] and the state [B, Hv, Dv, Dk] after it.
  std::vector<mx::array> (*gated_delta)(const mx::array& q, const mx::array& k, const mx::array& v, const mx::array& decay, const mx::array& beta, const mx::array& state);
};

// The primitives, when every array is float32 and operations run on the CPU; else null, and MLX's operations are to be used.
#ifdef __linux__
const Primitives* primitives_for(std::initializer_list<mx::array> arrays);
#else
inline const Primitives* primitives_for(std::initializer_list<mx::array>) {
  return nullptr;
}
#endif

mx::array gelu_tanh(const mx::array& x);
mx::array gelu(const mx::array& x);
mx::array silu_multiply(const mx::array& a, const mx::array& b);
mx::array attention(const mx::array& q, const mx::array& k, const mx::array& v, float scale, bool causal);
mx::array linear(const mx::array& x, const mx::array& w, const std::optional<mx::array>& bias);
mx::array quantized_linear(const mx::array& x, const mx::array& w, const mx::array& scales, const mx::array& biases, const std::optional<mx::array>& bias, int group, int bits);
mx::array gather_linear(const mx::array& x, const mx::array& w, const mx::array& indices);
mx::array gather_quantized_linear(const mx::array& x, const mx::array& w, const mx::array& scales, const mx::array& biases, const mx::array& indices, int group, int bits);
std::vector<mx::array> gated_delta(const mx::array& q, const mx::array& k, const mx::array& v, const mx::array& decay, const mx::array& beta, const mx::array& state);

} // namespace deskhand::cpu
