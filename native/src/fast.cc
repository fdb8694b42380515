// mlx/fast.h: fused kernels.
#include "binding.h"
#include "ops.h"

namespace deskhand {

void register_fast(Napi::Env env, Napi::Object exports) {
  // (x, weight | null, eps)
  define(env, exports, "rmsNorm", [](Args& args) { return mx::fast::rms_norm(args.tensor(0), args.optional_tensor(1), static_cast<float>(args.number(2))); });
  // (x, weight | null, bias | null, eps)
  define(env, exports, "layerNorm", [](Args& args) {
    return mx::fast::layer_norm(args.tensor(0), args.optional_tensor(1), args.optional_tensor(2), static_cast<float>(args.number(3)));
  });
  // (x [B, H, L, D], dims, traditional, base, scale, offset)
  define(env, exports, "rope", [](Args& args) {
    return mx::fast::rope(
        args.tensor(0),
        static_cast<int>(args.integer(1)),
        args.boolean(2),
        static_cast<float>(args.number(3)),
        static_cast<float>(args.number(4)),
        static_cast<int>(args.integer(5)));
  });
  // (queries [B, H, L, D], keys [B, Hkv, S, D], values, scale, maskMode "" | "causal" | "array", mask | null)
  define(env, exports, "scaledDotProductAttention", [](Args& args) {
    return mx::fast::scaled_dot_product_attention(
        args.tensor(0), args.tensor(1), args.tensor(2), static_cast<float>(args.number(3)), args.string(4), args.optional_tensor(5));
  });
}

} // namespace deskhand
