#include "binding.h"

namespace deskhand {

namespace {

struct Definition {
  const char* name;
  TensorFunction tensor;
  ValueFunction value;
};

const char* type_name(napi_env env, napi_value value) {
  napi_valuetype type;
  napi_typeof(env, value, &type);
  switch (type) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "a boolean";
    case napi_number: return "a number";
    case napi_string: return "a string";
    case napi_function: return "a function";
    case napi_object: return "an object";
    default: return "something else";
  }
}

// Out of line so that the fast path stays small.
napi_value fail(napi_env env, const char* name, const std::string& what) {
  napi_throw_error(env, "ERR_MLX", (std::string(name) + ": " + what).c_str());
  return nullptr;
}

napi_value call(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  Args args(env, info, &data);
  const auto* definition = static_cast<const Definition*>(data);
  try {
    if (definition->tensor != nullptr) {
      napi_value result;
      napi_create_int32(env, args.instance().tensors.add(definition->tensor(args)), &result);
      return result;
    }
    return definition->value(args);
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
    return nullptr;
  } catch (const std::exception& error) {
    return fail(env, definition->name, error.what());
  } catch (...) {
    return fail(env, definition->name, "unknown native error");
  }
}

void define(Napi::Env env, Napi::Object exports, Definition definition) {
  // Lives as long as the process: the function keeps a pointer to it.
  auto* kept = new Definition(definition);
  napi_value function;
  if (napi_create_function(env, kept->name, NAPI_AUTO_LENGTH, call, kept, &function) != napi_ok) {
    throw Napi::Error::New(env);
  }
  exports.Set(kept->name, Napi::Value(env, function));
}

} // namespace

Args::Args(napi_env env, napi_callback_info info, void** data) : env_(env) {
  napi_get_cb_info(env, info, &count_, values_, nullptr, data);
  void* instance = nullptr;
  napi_get_instance_data(env, &instance);
  instance_ = static_cast<Instance*>(instance);
}

Napi::Value Args::value(size_t i) const {
  return i < count_ ? Napi::Value(env_, values_[i]) : Napi::Env(env_).Undefined();
}

bool Args::absent(size_t i) const {
  if (i >= count_) {
    return true;
  }
  napi_valuetype type;
  napi_typeof(env_, values_[i], &type);
  return type == napi_undefined || type == napi_null;
}

void Args::reject(size_t i, const char* expected) const {
  throw std::invalid_argument(
      std::string("expected ") + expected + " as argument " + std::to_string(i + 1) + " but received " + (i < count_ ? type_name(env_, values_[i]) : "nothing"));
}

mx::array& Args::tensor(size_t i) const {
  int32_t handle;
  if (i >= count_ || napi_get_value_int32(env_, values_[i], &handle) != napi_ok) {
    reject(i, "a tensor");
  }
  return instance_->tensors.at(handle);
}

std::optional<mx::array> Args::optional_tensor(size_t i) const {
  if (absent(i)) {
    return std::nullopt;
  }
  return tensor(i);
}

void Args::each_handle(size_t i, const std::function<void(int32_t)>& visit) const {
  uint32_t length;
  if (i >= count_ || napi_get_array_length(env_, values_[i], &length) != napi_ok) {
    reject(i, "an array of tensors");
  }
  for (uint32_t k = 0; k < length; ++k) {
    napi_value element;
    int32_t handle;
    napi_get_element(env_, values_[i], k, &element);
    if (napi_get_value_int32(env_, element, &handle) != napi_ok) {
      reject(i, "an array of tensors");
    }
    visit(handle);
  }
}

std::vector<mx::array> Args::tensors(size_t i) const {
  std::vector<mx::array> result;
  each_handle(i, [&](int32_t handle) { result.push_back(instance_->tensors.at(handle)); });
  return result;
}

int64_t Args::integer(size_t i) const {
  double number = this->number(i);
  if (number != static_cast<double>(static_cast<int64_t>(number))) {
    reject(i, "a whole number");
  }
  return static_cast<int64_t>(number);
}

double Args::number(size_t i) const {
  double result;
  if (i >= count_ || napi_get_value_double(env_, values_[i], &result) != napi_ok) {
    reject(i, "a number");
  }
  return result;
}

bool Args::boolean(size_t i) const {
  bool result;
  if (i >= count_ || napi_get_value_bool(env_, values_[i], &result) != napi_ok) {
    reject(i, "a boolean");
  }
  return result;
}

std::string Args::string(size_t i) const {
  auto value = this->value(i);
  if (!value.IsString()) {
    reject(i, "a string");
  }
  return value.As<Napi::String>().Utf8Value();
}

std::vector<int> Args::integers(size_t i) const {
  uint32_t length;
  if (i >= count_ || napi_get_array_length(env_, values_[i], &length) != napi_ok) {
    reject(i, "an array of whole numbers");
  }
  std::vector<int> result(length);
  for (uint32_t k = 0; k < length; ++k) {
    napi_value element;
    napi_get_element(env_, values_[i], k, &element);
    if (napi_get_value_int32(env_, element, &result[k]) != napi_ok) {
      reject(i, "an array of whole numbers");
    }
  }
  return result;
}

std::optional<std::vector<int>> Args::optional_integers(size_t i) const {
  if (absent(i)) {
    return std::nullopt;
  }
  return integers(i);
}

mx::Shape Args::shape(size_t i) const {
  auto dims = integers(i);
  return mx::Shape(dims.begin(), dims.end());
}

mx::Dtype Args::dtype(size_t i) const {
  return dtype_of(string(i));
}

Napi::ArrayBuffer Args::array_buffer(size_t i) const {
  auto value = this->value(i);
  if (!value.IsArrayBuffer()) {
    reject(i, "an ArrayBuffer");
  }
  return value.As<Napi::ArrayBuffer>();
}

void define_tensor(Napi::Env env, Napi::Object exports, const char* name, TensorFunction function) {
  define(env, exports, {name, function, nullptr});
}

void define_value(Napi::Env env, Napi::Object exports, const char* name, ValueFunction function) {
  define(env, exports, {name, nullptr, function});
}

Napi::Value handles(Args& args, std::vector<mx::array> arrays) {
  auto result = Napi::Array::New(args.env(), arrays.size());
  for (size_t i = 0; i < arrays.size(); ++i) {
    result[static_cast<uint32_t>(i)] = Napi::Number::New(args.env(), args.instance().tensors.add(std::move(arrays[i])));
  }
  return result;
}

} // namespace deskhand
