#include "tensor.h"

#include "binding.h"

namespace deskhand {

LentBuffers::Returned::~Returned() {
  // The environment is going away and with it every reference: freeing the holders is all that is left.
  for (auto* reference : references) {
    reference->SuppressDestruct();
    delete reference;
  }
}

std::function<void(void*)> LentBuffers::lend(Napi::ArrayBuffer buffer) {
  auto* reference = new Reference(Reference::New(buffer, 1));
  return [returned = returned_, reference](void*) {
    std::lock_guard lock(returned->mutex);
    returned->references.push_back(reference);
  };
}

void LentBuffers::collect() {
  std::vector<Reference*> done;
  {
    std::lock_guard lock(returned_->mutex);
    done.swap(returned_->references);
  }
  for (auto* reference : done) {
    delete reference;
  }
}

int32_t TensorTable::add(mx::array array) {
  ++live_;
  if (!free_.empty()) {
    auto handle = free_.back();
    free_.pop_back();
    slots_[handle].emplace(std::move(array));
    return handle;
  }
  slots_.emplace_back(std::move(array));
  return static_cast<int32_t>(slots_.size() - 1);
}

mx::array& TensorTable::at(int32_t handle) {
  if (handle < 0 || static_cast<size_t>(handle) >= slots_.size() || !slots_[handle]) {
    throw std::invalid_argument("expected a live tensor but received a disposed one; keep it out of the scope that ended, or clone what you need");
  }
  return *slots_[handle];
}

void TensorTable::dispose(int32_t handle) {
  at(handle);
  slots_[handle].reset();
  free_.push_back(handle);
  --live_;
}

void Instance::report_memory(Napi::Env env) {
  auto now = static_cast<int64_t>(mx::get_active_memory());
  Napi::MemoryManagement::AdjustExternalMemory(env, now - reported_bytes);
  reported_bytes = now;
}

namespace {

Napi::Value dispose(Args& args) {
  auto& instance = args.instance();
  args.each_handle(0, [&](int32_t handle) { instance.tensors.dispose(handle); });
  instance.lent.collect();
  instance.report_memory(args.env());
  return args.env().Undefined();
}

Napi::Value shape(Args& args) {
  const auto& dims = args.tensor(0).shape();
  auto result = Napi::Array::New(args.env(), dims.size());
  for (size_t i = 0; i < dims.size(); ++i) {
    result[static_cast<uint32_t>(i)] = Napi::Number::New(args.env(), dims[static_cast<int>(i)]);
  }
  return result;
}

// Copies an evaluated tensor's elements into a fresh ArrayBuffer, row-major.
Napi::Value read(Args& args) {
  auto array = mx::contiguous(args.tensor(0));
  array.eval();
  auto buffer = Napi::ArrayBuffer::New(args.env(), array.nbytes());
  if (array.nbytes() > 0) {
    std::memcpy(buffer.Data(), array.data<char>(), array.nbytes());
  }
  return buffer;
}

} // namespace

void register_tensor(Napi::Env env, Napi::Object exports) {
  define(env, exports, "dispose", dispose);
  define(env, exports, "shape", shape);
  define(env, exports, "dtype", [](Args& args) -> Napi::Value { return Napi::String::New(args.env(), dtype_name(args.tensor(0).dtype())); });
  define(env, exports, "nbytes", [](Args& args) -> Napi::Value { return Napi::Number::New(args.env(), static_cast<double>(args.tensor(0).nbytes())); });
  define(env, exports, "read", read);
  define(env, exports, "liveTensors", [](Args& args) -> Napi::Value { return Napi::Number::New(args.env(), static_cast<double>(args.instance().tensors.live())); });

  // A second handle on the same array: shares the data, is disposed on its own.
  define(env, exports, "alias", [](Args& args) { return args.tensor(0); });
  define(env, exports, "scalar", [](Args& args) { return mx::array(args.number(0), args.dtype(1)); });
  // (buffer, byteOffset, shape, dtype): the buffer must not be written to afterwards; MLX uses it in place where it can.
  define(env, exports, "fromBuffer", [](Args& args) {
    auto buffer = args.array_buffer(0);
    auto offset = static_cast<size_t>(args.integer(1));
    auto dims = args.shape(2);
    auto dtype = args.dtype(3);
    size_t bytes = dtype.size();
    for (auto dim : dims) {
      bytes *= static_cast<size_t>(dim);
    }
    if (offset + bytes > buffer.ByteLength()) {
      throw std::invalid_argument("expected a buffer of at least " + std::to_string(offset + bytes) + " bytes but received " + std::to_string(buffer.ByteLength()));
    }
    return mx::array(static_cast<char*>(buffer.Data()) + offset, dims, dtype, args.instance().lent.lend(buffer));
  });
}

} // namespace deskhand
