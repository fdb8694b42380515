// The quantised products of mlx/ops.h. Weights are packed 32-bit words along the last axis; modes: affine, mxfp4, mxfp8, nvfp4.
#include "binding.h"
#include "ops.h"

namespace deskhand {

void register_quantized(Napi::Env env, Napi::Object exports) {
  // (x, w, scales, biases | null, transpose, groupSize, bits, mode)
  define(env, exports, "quantizedMatmul", [](Args& args) {
    return mx::quantized_matmul(
        args.tensor(0),
        args.tensor(1),
        args.tensor(2),
        args.optional_tensor(3),
        args.boolean(4),
        static_cast<int>(args.integer(5)),
        static_cast<int>(args.integer(6)),
        args.string(7));
  });
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
