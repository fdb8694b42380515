// Declares native functions to JavaScript: arguments checked by position, C++ exceptions turned into JavaScript errors
// that carry the function's name, MLX's own text and the JavaScript stack.
#pragma once

#include <functional>
#include <string>

#include "convert.h"
#include "tensor.h"

namespace deskhand {

// The arguments of one call, read by position. Every accessor throws a message that says what was expected and what came.
class Args {
 public:
  static constexpr size_t kMax = 12;

  Args(napi_env env, napi_callback_info info, void** data);

  Napi::Env env() const {
    return env_;
  }
  Instance& instance() const {
    return *instance_;
  }
  size_t size() const {
    return count_;
  }
  Napi::Value value(size_t i) const;

  mx::array& tensor(size_t i) const;
  std::optional<mx::array> optional_tensor(size_t i) const; // null, undefined or -1: none
  std::vector<mx::array> tensors(size_t i) const;
  int64_t integer(size_t i) const;
  double number(size_t i) const;
  bool boolean(size_t i) const;
  std::string string(size_t i) const;
  mx::Shape shape(size_t i) const;
  std::vector<int> integers(size_t i) const;
  std::optional<std::vector<int>> optional_integers(size_t i) const;
  mx::Dtype dtype(size_t i) const;
  Napi::ArrayBuffer array_buffer(size_t i) const;
  void each_handle(size_t i, const std::function<void(int32_t)>& visit) const;

 private:
  bool absent(size_t i) const;
  [[noreturn]] void reject(size_t i, const char* expected) const;

  napi_env env_;
  Instance* instance_;
  size_t count_ = kMax;
  napi_value values_[kMax];
};

using TensorFunction = mx::array (*)(Args&);
using ValueFunction = Napi::Value (*)(Args&);

// `name` must be a literal: it is kept for error messages.
void define_tensor(Napi::Env env, Napi::Object exports, const char* name, TensorFunction function);
void define_value(Napi::Env env, Napi::Object exports, const char* name, ValueFunction function);

// Picks by the return type: a function returning mx::array yields a new handle, any other its value.
template <typename F>
void define(Napi::Env env, Napi::Object exports, const char* name, F function) {
  using Result = std::invoke_result_t<F, Args&>;
  if constexpr (std::is_same_v<Result, mx::array> || std::is_same_v<Result, mx::array&>) {
    define_tensor(env, exports, name, function);
  } else {
    define_value(env, exports, name, function);
  }
}

// Several tensors at once, as a JavaScript array of handles.
Napi::Value handles(Args& args, std::vector<mx::array> arrays);

} // namespace deskhand
