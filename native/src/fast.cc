// Fused kernels: mlx/fast.h, and our own where MLX runs one scalar thread (cpu/).
#include "binding.h"
#include "cpu/primitives.h"
#include "ops.h"

namespace deskhand {

namespace {

// x / 2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))
mx::array gelu_tanh(Args& args) {
  const auto& x = args.tensor(0);
  if (const auto* own = cpu::primitives_for({x})) {
    return own->gelu_tanh(x);
  }
  auto number = [&](double value) { return mx::array(value, x.dtype()); };
  auto inner = x * (number(1) + number(0.044715) * mx::square(x)) * number(0.7978845608028654);
  return x * number(0.5) * (number(1) + mx::tanh(inner));
}

// x / 2 · (1 + erf(x / √2))
mx::array gelu(Args& args) {
  const auto& x = args.tensor(0);
  if (const auto* own = cpu::primitives_for({x})) {
    return own->gelu(x);
  }
  auto number = [&](double value) { return mx::array(value, x.dtype()); };
  return x * number(0.5) * (number(1) + mx::erf(x * number(0.7071067811865476)));
}

// a · sigmoid(a) · b
mx::array silu_multiply(Args& args) {
  const auto &a = args.tensor(0), &b = args.tensor(1);
  const auto* own = a.shape() == b.shape() ? cpu::primitives_for({a, b}) : nullptr;
  return own != nullptr ? own->silu_multiply(a, b) : a * mx::sigmoid(a) * b;
}

// (queries [B, H, L, D], keys [B, Hkv, S, D], values, scale, maskMode "" | "causal" | "array", mask | null)
mx::array attention(Args& args) {
  const auto &q = args.tensor(0), &k = args.tensor(1), &v = args.tensor(2);
  auto scale = static_cast<float>(args.number(3));
  auto mode = args.string(4);
  bool fits = q.ndim() == 4 && k.shape() == v.shape() && k.ndim() == 4 && q.shape(0) == k.shape(0) && q.shape(3) == k.shape(3) && q.shape(1) % k.shape(1) == 0;
  // A causal row must see at least one key.
  bool simple = mode.empty() || (mode == "causal" && q.shape(2) <= k.shape(2));
  if (const auto* own = fits && simple ? cpu::primitives_for({q, k, v}) : nullptr) {
    return own->attention(q, k, v, scale, mode == "causal");
  }
  return mx::fast::scaled_dot_product_attention(q, k, v, scale, mode, args.optional_tensor(5));
}

bool is_float(mx::Dtype dtype) {
  return dtype == mx::float32 || dtype == mx::bfloat16 || dtype == mx::float16;
}

// (x [..., in], w [out, in], bias [out] | null)
mx::array linear(Args& args) {
  const auto &x = args.tensor(0), &w = args.tensor(1);
  auto bias = args.optional_tensor(2);
  bool fits = w.ndim() == 2 && is_float(w.dtype()) && x.ndim() > 0 && x.shape(-1) == w.shape(1) && (!bias || bias->shape() == mx::Shape{w.shape(0)});
  if (const auto* own = !fits ? nullptr : bias ? cpu::primitives_for({x, *bias}) : cpu::primitives_for({x})) {
    return own->linear(x, w, bias);
  }
  auto transposed = mx::transpose(w);
  return bias ? mx::addmm(*bias, x, transposed) : mx::matmul(x, transposed);
}

// (x [N, in], w [E, out, in], indices [N] uint32, sorted): row i times the transposed matrix number indices[i], [N, out]
mx::array gather_linear(Args& args) {
  const auto &x = args.tensor(0), &w = args.tensor(1), &indices = args.tensor(2);
  bool fits = x.ndim() == 2 && w.ndim() == 3 && is_float(w.dtype()) && x.shape(1) == w.shape(2) && indices.shape() == mx::Shape{x.shape(0)} && indices.dtype() == mx::uint32;
  if (const auto* own = fits ? cpu::primitives_for({x}) : nullptr) {
    return own->gather_linear(x, w, indices);
  }
  // MLX gathers matrices in float32 only on the CPU.
  auto dtype = mx::default_device() == mx::Device(mx::Device::cpu) ? mx::float32 : x.dtype();
  auto rows = mx::expand_dims(mx::astype(x, dtype), 1);
  auto y = mx::gather_mm(rows, mx::swapaxes(mx::astype(w, dtype), 1, 2), std::nullopt, indices, args.boolean(3));
  return mx::astype(mx::squeeze(y, 1), x.dtype());
}

// (q, k [B, T, Hk, Dk], v [B, T, Hv, Dv], decay, beta [B, T, Hv], state [B, Hv, Dv, Dk]): y [B, T, Hv, Dv], state
std::vector<mx::array> gated_delta(Args& args) {
  const auto &q = args.tensor(0), &k = args.tensor(1), &v = args.tensor(2), &decay = args.tensor(3), &beta = args.tensor(4), &state = args.tensor(5);
  bool fits = k.ndim() == 4 && v.ndim() == 4 && q.shape() == k.shape() && k.shape(0) == v.shape(0) && k.shape(1) == v.shape(1) && v.shape(2) % k.shape(2) == 0 &&
      decay.shape() == mx::Shape{v.shape(0), v.shape(1), v.shape(2)} && beta.shape() == decay.shape() && state.shape() == mx::Shape{v.shape(0), v.shape(2), v.shape(3), k.shape(3)};
  if (const auto* own = fits ? cpu::primitives_for({q, k, v, decay, beta, state}) : nullptr) {
    return own->gated_delta(q, k, v, decay, beta, state);
  }
  return mx::fast::gated_delta_update(q, k, v, decay, beta, state);
}

} // namespace

void register_fast(Napi::Env env, Napi::Object exports) {
  // (x, weight | null, eps)
  define(env, exports, "rmsNorm", [](Args& args) { return mx::fast::rms_norm(args.tensor(0), args.optional_tensor(1), static_cast<float>(args.number(2))); });
  // (x, weight | null, bias | null, eps)
  define(env, exports, "layerNorm", [](Args& args) {
    return mx::fast::layer_norm(args.tensor(0), args.optional_tensor(1), args.optional_tensor(2), static_cast<float>(args.number(3)));
  });
  // (x [B, H, L, D], dims, base, offset, periods [dims / 2] | null): halves rotated against each other; periods (1 / frequency)
  // take the place of the base
  define(env, exports, "rope", [](Args& args) {
    auto periods = args.optional_tensor(4);
    auto base = periods ? std::nullopt : std::optional(static_cast<float>(args.number(2)));
    return mx::fast::rope(args.tensor(0), static_cast<int>(args.integer(1)), false, base, 1.0f, static_cast<int>(args.integer(3)), periods);
  });
  define(env, exports, "scaledDotProductAttention", attention);
  define(env, exports, "linear", linear);
  define(env, exports, "gatherLinear", gather_linear);
  define(env, exports, "gatedDelta", [](Args& args) { return handles(args, gated_delta(args)); });
  define(env, exports, "geluTanh", gelu_tanh);
  define(env, exports, "gelu", gelu);
  define(env, exports, "siluMultiply", silu_multiply);
}

} // namespace deskhand
