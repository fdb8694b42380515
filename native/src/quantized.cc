// The quantised products of mlx/ops.h. Weights are packed 32-bit words along the last axis; modes: affine, mxfp4, mxfp8, nvfp4.
#include "binding.h"
#include "cpu/primitives.h"
#include "ops.h"

namespace deskhand {

namespace {

// (x [..., in], w, scales, biases | null, bias [out] | null, groupSize, bits, mode): x times the transposed matrix, plus bias
mx::array quantized_linear(Args& args) {
  const auto &x = args.tensor(0), &w = args.tensor(1), &scales = args.tensor(2);
  auto biases = args.optional_tensor(3), bias = args.optional_tensor(4);
  auto group = static_cast<int>(args.integer(5)), bits = static_cast<int>(args.integer(6));
  auto mode = args.string(7);
  bool fits = mode == "affine" && biases && (bits == 4 || bits == 8) && w.ndim() == 2 && x.ndim() > 0 && x.shape(-1) == scales.shape(1) * group;
  if (const auto* own = fits ? cpu::primitives_for({x, scales, *biases, bias.value_or(x)}) : nullptr) {
    return own->quantized_linear(x, w, scales, *biases, bias, group, bits);
  }
  auto y = mx::quantized_matmul(x, w, scales, biases, true, group, bits, mode);
  return bias ? y + *bias : y;
}

// (x [N, in], w [E, out, ...], scales, biases | null, indices [N] uint32, sorted, groupSize, bits, mode): row i times the transposed
// matrix number indices[i], [N, out]
mx::array gather_quantized_linear(Args& args) {
  const auto &x = args.tensor(0), &w = args.tensor(1), &scales = args.tensor(2), &indices = args.tensor(4);
  auto biases = args.optional_tensor(3);
  auto group = static_cast<int>(args.integer(6)), bits = static_cast<int>(args.integer(7));
  auto mode = args.string(8);
  bool fits = mode == "affine" && biases && (bits == 4 || bits == 8) && x.ndim() == 2 && w.ndim() == 3 && x.shape(1) == scales.shape(2) * group &&
      indices.shape() == mx::Shape{x.shape(0)} && indices.dtype() == mx::uint32;
  if (const auto* own = fits ? cpu::primitives_for({x, scales, *biases}) : nullptr) {
    return own->gather_quantized_linear(x, w, scales, *biases, indices, group, bits);
  }
  auto y = mx::gather_qmm(mx::expand_dims(x, 1), w, scales, biases, std::nullopt, indices, true, group, bits, mode, std::nullopt, args.boolean(5));
  return mx::squeeze(y, 1);
}

} // namespace

void register_quantized(Napi::Env env, Napi::Object exports) {
  define(env, exports, "quantizedLinear", quantized_linear);
  define(env, exports, "gatherQuantizedLinear", gather_quantized_linear);
  // (w, groupSize, bits, mode): packed weights, scales and, in affine mode, biases
  define(env, exports, "quantize", [](Args& args) {
    return handles(args, mx::quantize(args.tensor(0), static_cast<int>(args.integer(1)), static_cast<int>(args.integer(2)), args.string(3)));
  });
  // (w, scales, biases | null, groupSize, bits, mode)
  define(env, exports, "dequantize", [](Args& args) {
    return mx::dequantize(
        args.tensor(0), args.tensor(1), args.optional_tensor(2), static_cast<int>(args.integer(3)), static_cast<int>(args.integer(4)), args.string(5));
  });
}

} // namespace deskhand
