// The tensors of one JavaScript environment, addressed by small integer handles.
//
// A handle costs JavaScript a number instead of a wrapped object with a finaliser (about 0.1 µs against 1 µs and a
// garbage-collector entry), which matters at hundreds of ops a token. The JavaScript class `Tensor` owns exactly one handle and
// gives it back; a disposed tensor holds -1, so a stale handle is never looked up.
#pragma once

#include <napi.h>

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "mlx/mlx.h"

namespace deskhand {

namespace mx = mlx::core;

// Buffers lent by JavaScript to MLX. MLX may let go of one on any thread; the reference is dropped later on the JavaScript
// thread, the only one allowed to touch it.
class LentBuffers {
 public:
  using Reference = Napi::Reference<Napi::ArrayBuffer>;

  // Keeps `buffer` alive until the returned function has been called (once, from any thread) and `collect` has run.
  std::function<void(void*)> lend(Napi::ArrayBuffer buffer);
  void collect();

 private:
  struct Returned {
    std::mutex mutex;
    std::vector<Reference*> references;
    ~Returned();
  };
  std::shared_ptr<Returned> returned_ = std::make_shared<Returned>();
};

class TensorTable {
 public:
  int32_t add(mx::array array);
  mx::array& at(int32_t handle);
  void dispose(int32_t handle);
  size_t live() const {
    return live_;
  }

 private:
  std::vector<std::optional<mx::array>> slots_;
  std::vector<int32_t> free_;
  size_t live_ = 0;
};

// What one environment (the main thread or a worker) owns; freed with it.
struct Instance {
  TensorTable tensors;
  LentBuffers lent;
  int64_t reported_bytes = 0;

  static Instance& of(Napi::Env env) {
    return *env.GetInstanceData<Instance>();
  }
  // Tells V8 how much memory MLX holds, so that it collects garbage in time.
  void report_memory(Napi::Env env);
};

void register_tensor(Napi::Env env, Napi::Object exports);

} // namespace deskhand
