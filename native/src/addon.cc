#include <napi.h>

#include "mlx/version.h"
#include "ops.h"
#include "tensor.h"

namespace deskhand {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Instance());
  register_tensor(env, exports);
  register_ops(env, exports);
  register_fast(env, exports);
  register_quantized(env, exports);
  register_random(env, exports);
  register_io(env, exports);
  register_eval(env, exports);
  exports.Set("mlxVersion", Napi::String::New(env, mx::version()));
  return exports;
}

NODE_API_MODULE(addon, init)

} // namespace deskhand
