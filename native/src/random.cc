// mlx/random.h, always with an explicit key: a seed gives the same numbers whatever else runs.
#include "binding.h"
#include "ops.h"

namespace deskhand {

void register_random(Napi::Env env, Napi::Object exports) {
  define(env, exports, "randomKey", [](Args& args) { return mx::random::key(static_cast<uint64_t>(args.integer(0))); });
  // (key, count): count new keys, [count, 2]
  define(env, exports, "randomSplit", [](Args& args) { return mx::random::split(args.tensor(0), static_cast<int>(args.integer(1))); });
  // (logits, axis, key): indices drawn with probability softmax(logits)
  define(env, exports, "categorical", [](Args& args) { return mx::random::categorical(args.tensor(0), static_cast<int>(args.integer(1)), args.tensor(2)); });
  // (shape, dtype, key): standard normal
  define(env, exports, "randomNormal", [](Args& args) { return mx::random::normal(args.shape(0), args.dtype(1), std::nullopt, std::nullopt, args.tensor(2)); });
}

} // namespace deskhand
